"""deploy/docker-compose.yml, run for real: unmodified kubectl against services in containers, pods in nested Podman."""

from __future__ import annotations

import os
import signal

import pytest

from .conftest import NODES, SERVICES, Composed, eventually, images

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]  # the first run builds images

KEYS = "find /pki /data -type f -perm /077"
DIGEST = "cat /pki/*.key /pki/*.crt /pki/kubeconfig /pki/nats.conf | sha256sum"


def test_a_deployment_runs_on_both_nodes_and_its_service_answers_inside_each(composed: Composed) -> None:
    composed.kubectl("apply", "-f", str(images.ROOT / "examples" / "hello.yaml"))
    composed.kubectl("rollout", "status", "deployment/hello", "--timeout=60s")
    nodes = composed.kubectl("get", "pods", "-l", "app=hello", "-o", "jsonpath={.items[*].spec.nodeName}")
    assert sorted(nodes.split()) == ["node-1", "node-2"]
    pods = composed.kubectl("get", "pods", "-l", "app=hello", "-o", "jsonpath={.items[*].metadata.name}").split()
    address = composed.kubectl("get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}")
    for node in NODES:
        answers: set[str] = set()

        def asked(answers: set[str] = answers, kubelet: str = f"kubelet-{node}") -> bool:
            answers.add(composed.inside(kubelet, "busybox", "wget", "-q", "-O", "-", f"http://{address}/").strip())
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


@pytest.mark.parametrize("service", ["relay", "kubelet-1", "proxy-1"])
def test_a_service_that_crashes_is_started_again(composed: Composed, service: str) -> None:
    before = composed.inspected(service, "{{.State.Pid}}")
    os.kill(int(before), signal.SIGKILL)
    eventually(lambda: composed.inspected(service, "{{.State.Pid}}") not in (before, "0"), what="another process")
    eventually(lambda: composed.healthy(service), what=f"a healthy {service}")
    assert composed.ready_nodes() == ["node-1", "node-2"]


def test_credentials_and_data_are_their_owners_alone(composed: Composed) -> None:
    for service in ("etcd", "nats"):
        assert composed.inside(service, "sh", "-c", KEYS) == ""


def test_making_the_credentials_again_changes_nothing(composed: Composed) -> None:
    before = composed.inside("apiserver", "sh", "-c", DIGEST)
    composed.run("podman", "start", "--attach", composed.container("pki"))
    assert composed.inside("apiserver", "sh", "-c", DIGEST) == before
