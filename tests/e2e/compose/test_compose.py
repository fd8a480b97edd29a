"""deploy/docker-compose.yml, run for real: unmodified kubectl against services in containers, pods in nested Podman."""

from __future__ import annotations

import os
import signal
from ipaddress import ip_address

import pytest

from kubus_cli.clusters import NUMBERS, ranges_of
from kubus_cli.pki_directory import service_files

from .conftest import NODES, SERVICES, Composed, eventually, images

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]  # the first run builds images

OPEN_FILES = "find /pki /data -type f -perm /077"
DIGEST = "cat /pki/*.key /pki/*.crt | sha256sum"
PROCESSES = "for p in /proc/[0-9]*; do echo ${p#/proc/} $(tr '\\0' ' ' < $p/cmdline); done"
CONNECT_TO_ETCD = "import socket, sys; socket.create_connection((sys.argv[1], 2379), 5)"


def test_a_deployment_runs_on_both_nodes_and_its_service_answers_inside_each(composed: Composed) -> None:
    composed.kubectl("apply", "-f", str(images.ROOT / "examples" / "hello.yaml"))
    composed.kubectl("rollout", "status", "deployment/hello", "--timeout=120s")
    nodes = composed.kubectl("get", "pods", "-l", "app=hello", "-o", "jsonpath={.items[*].spec.nodeName}")
    assert sorted(nodes.split()) == ["node-1", "node-2"]
    pods = composed.kubectl("get", "pods", "-l", "app=hello", "-o", "jsonpath={.items[*].metadata.name}").split()
    address = composed.kubectl("get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}")
    for node in NODES:
        answers: set[str] = set()

        def asked(answers: set[str] = answers, node: str = f"node-{node}") -> bool:
            answers.add(composed.inside(node, "busybox", "wget", "-q", "-O", "-", f"http://{address}/").strip())
            return answers == {f"hello from {pod}" for pod in pods}

        eventually(asked, what=f"an answer from both pods to node-{node}")
    through = composed.kubectl("get", "--raw", "/api/v1/namespaces/default/services/hello:80/proxy/")
    assert through.startswith("hello from"), "the apiserver has no route to pods, but the bus"


def test_the_tap_shows_who_made_a_change(composed: Composed) -> None:
    composed.compose("--profile", "tap", "up", "--detach", "--no-build", "--no-deps", "tap")
    number = iter(range(100))

    def seen() -> str:
        composed.kubectl("create", "configmap", f"seen-{next(number)}")
        lines = composed.logs("tap").splitlines()
        return next((each for each in lines if "configmaps default/seen-" in each), "")

    assert "by kubernetes-admin" in eventually(seen, what="an event in the tap")


@pytest.mark.parametrize("service", SERVICES)
def test_the_health_check_of_each_service_passes(composed: Composed, service: str) -> None:
    eventually(lambda: composed.healthy(service), what=f"a passing health check of {service}")


@pytest.mark.parametrize("service", ["relay", "node-1"])
def test_a_service_that_crashes_is_started_again(composed: Composed, service: str) -> None:
    before = composed.inspected(service, "{{.State.Pid}}")
    os.kill(int(before), signal.SIGKILL)
    eventually(lambda: composed.inspected(service, "{{.State.Pid}}") not in (before, "0"), what="another process")
    eventually(lambda: composed.healthy(service), what=f"a healthy {service}")
    assert composed.ready_nodes() == ["node-1", "node-2"]


@pytest.mark.parametrize("process", ["kubus_kubelet", "kubus_proxy"])
def test_a_process_of_a_node_that_crashes_is_started_again_alone(composed: Composed, process: str) -> None:
    def pids() -> dict[str, str]:
        lines = (line.split() for line in composed.inside("node-2", "sh", "-c", PROCESSES).splitlines())
        return {words[-1]: words[0] for words in lines if words[-1] in ("kubus_kubelet", "kubus_proxy")}

    before = eventually(lambda: pids() if len(pids()) == 2 else None, what="both processes")
    composed.inside("node-2", "sh", "-c", f"kill -KILL {before[process]}")
    after = eventually(lambda: found if process in (found := pids()) and found != before else None, what="another one")
    assert {name for name in after if after[name] != before[name]} == {process}
    eventually(lambda: composed.healthy("node-2"), what="a healthy node")


def test_a_restart_of_all_leaves_nodes_that_reach_services(composed: Composed) -> None:
    composed.compose("restart", "--timeout", "3", timeout=240)
    eventually(lambda: composed.ready_nodes() == ["node-1", "node-2"], seconds=180, what="two ready nodes")
    for service in SERVICES:
        eventually(lambda service=service: composed.healthy(service), seconds=120, what=f"a healthy {service}")  # type: ignore[misc]
    address = composed.kubectl("get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}")
    composed.kubectl("rollout", "status", "deployment/hello", "--timeout=90s")
    for node in NODES:

        def answers(node: str = f"node-{node}") -> bool:
            try:
                return "hello from" in composed.inside(node, "busybox", "wget", "-q", "-O", "-", f"http://{address}/")
            except AssertionError:
                return False

        eventually(answers, seconds=60, what=f"the Service on node-{node}")


def test_a_node_does_not_reach_etcd(composed: Composed) -> None:
    address = composed.inspected("etcd", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
    composed.inside("apiserver", "python", "-c", CONNECT_TO_ETCD, address)
    composed.inside("relay", "python", "-c", CONNECT_TO_ETCD, "etcd")
    for service in ("node-1", "node-2", "controllers"):
        for name in (address, "etcd"):
            with pytest.raises(AssertionError, match="ended with 1"):
                composed.inside(service, "python", "-c", CONNECT_TO_ETCD, name)


def test_services_have_addresses_that_a_first_cluster_of_kubus_up_does_not_use(composed: Composed) -> None:
    address = composed.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")
    assert not any(ip_address(address) in each for number in NUMBERS for each in ranges_of(number))


def test_credentials_and_data_are_their_owners_alone(composed: Composed) -> None:
    for service in ("etcd", "nats"):
        assert composed.inside(service, "sh", "-c", OPEN_FILES) == ""


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_holds_the_keys_of_its_service_alone(composed: Composed, service: str) -> None:
    found = set(composed.inside(service, "sh", "-c", "cd /pki; echo *.key *.keys").split()) - {"*.keys"}
    assert found == {name for name in service_files(["node-1", "node-2"])[service] if ".key" in name}


def test_making_the_credentials_again_changes_nothing(composed: Composed) -> None:
    before = [composed.inside(service, "sh", "-c", DIGEST) for service in SERVICES]
    composed.run("podman", "start", "--attach", composed.container("pki"))
    assert [composed.inside(service, "sh", "-c", DIGEST) for service in SERVICES] == before
