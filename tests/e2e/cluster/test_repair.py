"""What breaks is repaired, and what need not be touched is not."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from .conftest import IMAGE, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e


def containers(cluster: Cluster, namespace: str) -> dict[str, tuple[str, int]]:
    """Pod → (container id, restart count)."""
    found = {}
    for pod in cluster.get("pods", "-n", namespace)["items"]:
        for status in pod["status"].get("containerStatuses", ()):
            found[pod["metadata"]["name"]] = (status.get("containerID", ""), status["restartCount"])
    return found


def process_of(container_id: str) -> int:
    """The process id of a container's first process, by its cgroup: no runtime is asked."""
    wanted = container_id.removeprefix("podman://")
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if wanted in (entry / "cgroup").read_text() and "conmon" not in (entry / "comm").read_text():
                    return int(entry.name)
            except OSError:
                continue
    raise AssertionError(f"no process of container {wanted}")


def start(cluster: Cluster, namespace: str, replicas: int) -> None:
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=deployment("web", replicas, IMAGE))
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=120s")


def test_a_killed_container_is_back_and_its_restart_is_counted(three_nodes: Cluster, wide_namespace: str) -> None:
    start(three_nodes, wide_namespace, 1)
    ((pod, (before, _)),) = containers(three_nodes, wide_namespace).items()
    os.kill(process_of(before), signal.SIGKILL)
    after, restarts = eventually(
        lambda: containers(three_nodes, wide_namespace)[pod], expected=lambda seen: seen[1] == 1, what="a restart"
    )
    assert after != before
    three_nodes.kubectl("wait", "-n", wide_namespace, "--for=condition=Ready", f"pod/{pod}", "--timeout=120s")
    status = three_nodes.get(f"pod/{pod}", "-n", wide_namespace)["status"]["containerStatuses"][0]
    assert status["lastState"]["terminated"]["exitCode"] == 137
    assert restarts == 1


def test_a_kubelet_that_is_killed_restarts_no_container(three_nodes: Cluster, wide_namespace: str) -> None:
    start(three_nodes, wide_namespace, 3)
    before = containers(three_nodes, wide_namespace)
    kubelets = [name for name in three_nodes.status() if name.startswith("kubelet-")]
    for name in kubelets:
        three_nodes.kubus("kill", name)
    eventually(
        lambda: [three_nodes.status()[name] for name in kubelets],
        expected=lambda seen: all(each["state"] == "ready" and each["restarts"] for each in seen),
        what="all kubelets again",
    )
    three_nodes.kubectl("scale", "-n", wide_namespace, "deployment/web", "--replicas=4")
    three_nodes.kubectl("rollout", "status", "-n", wide_namespace, "deployment/web", "--timeout=120s")
    after = containers(three_nodes, wide_namespace)
    assert {name: after[name] for name in before} == before


SERVICES = ("apiserver", "relay", "scheduler", "controllers", "etcd", "nats", "proxy-node-1", "kubelet-node-2")


@pytest.mark.timeout(240)
def test_every_service_is_killed_during_a_rollout_and_the_rollout_completes(
    three_nodes: Cluster, wide_namespace: str
) -> None:
    n = ("-n", wide_namespace)
    start(three_nodes, wide_namespace, 4)
    for number, service in enumerate(SERVICES):
        patch = {"spec": {"template": {"metadata": {"annotations": {"round": str(number)}}}}}
        three_nodes.kubectl("patch", "deployment", "web", "-p", json.dumps(patch), *n)
        three_nodes.kubus("kill", service)
        eventually(
            lambda number=number: _rolled_out(three_nodes, wide_namespace, number),
            seconds=60,
            what=f"round {number} ({service})",
        )
        _nothing_twice(three_nodes, wide_namespace)
    states = three_nodes.status()
    assert all(states[service]["restarts"] >= 1 for service in SERVICES)


def _rolled_out(cluster: Cluster, namespace: str, number: int) -> bool:
    done = cluster.kubectl("get", "deployment,pods", "-n", namespace, "-o", "json", check=False)
    if done.returncode:
        return False
    items: list[Any] = json.loads(done.stdout)["items"]
    (web,) = [each for each in items if each["kind"] == "Deployment"]
    pods = [each for each in items if each["kind"] == "Pod"]
    rounds = {pod["metadata"].get("annotations", {}).get("round") for pod in pods}
    status = web["status"]
    return (
        status.get("observedGeneration") == web["metadata"]["generation"]
        and status.get("updatedReplicas") == status.get("availableReplicas") == status.get("replicas") == 4
        and rounds == {str(number)}
        and len(pods) == 4
    )


def _nothing_twice(cluster: Cluster, namespace: str) -> None:
    """Each pod's container runs once: as many containers of the namespace run as it has pods."""
    pods = cluster.get("pods", "-n", namespace)["items"]
    ids = [status["containerID"] for pod in pods for status in pod["status"]["containerStatuses"]]
    assert len(set(ids)) == 4
    for container in ids:
        process_of(container)
