"""The supervisor: crashed components come back, and nothing depends on it being alive."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from .conftest import Cluster, eventually

pytestmark = pytest.mark.e2e
COMPONENTS = ("etcd", "nats", "apiserver", "relay", "scheduler", "controllers", "proxy-host", "kubelet-node-1")


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_killed_component_is_back_and_its_restart_is_counted(one_node: Cluster, component: str) -> None:
    before = one_node.status()[component]
    one_node.kubus("kill", component)

    def back() -> bool:
        found = json.loads(one_node.kubus("status", "-o", "json", check=False).stdout)
        now = {each["instance"]: each for each in found["components"]}[component]
        return bool(now["ready"]) and now["pid"] != before["pid"] and now["restarts"] == before["restarts"] + 1

    eventually(back, what=f"{component} running again")
    eventually(lambda: one_node.kubus("status", check=False).returncode == 0, what="everything ready")
    assert one_node.kubectl("get", "nodes").stdout


@pytest.mark.parametrize("component", ["scheduler", "controllers", "relay"])
def test_a_leader_that_was_killed_leads_again_at_once(one_node: Cluster, component: str) -> None:
    lease = {"scheduler": "kube-scheduler", "controllers": "kube-controller-manager", "relay": "kubus-relay"}[component]

    def holder() -> str:
        spec: dict[str, str] = one_node.get("lease", lease, "-n", "kube-system")["spec"]
        return spec["holderIdentity"]

    before = eventually(holder, what="a holder")
    one_node.kubus("kill", component)
    eventually(holder, what="another holder", expected=lambda now: now not in ("", before))
    assert "waits for the lease" not in one_node.kubus("logs", component).stdout
    assert one_node.status()[component]["reason"] == ""


def test_logs_show_what_a_component_said(one_node: Cluster) -> None:
    assert "apiserver: ready" in one_node.kubus("logs", "apiserver").stdout
    unknown = one_node.kubus("logs", "nonsense", check=False)
    assert unknown.returncode == 2 and "there are: " in unknown.stderr


def test_a_killed_supervisor_leaves_the_cluster_running_and_up_takes_over(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    try:
        cluster.kubus("up")
        os.kill(cluster.status()["supervisor"]["pid"], signal.SIGKILL)
        eventually(lambda: cluster.kubus("status", check=False).returncode == 4, what="the death being seen")
        assert cluster.kubectl("get", "nodes").stdout
        assert "the supervisor had died" in cluster.kubus("up").stderr
        assert cluster.kubectl("get", "nodes").stdout
        os.kill(cluster.status()["supervisor"]["pid"], signal.SIGKILL)
    finally:
        done = cluster.kubus("down", "--purge", check=False)
    assert done.returncode == 0, done.stderr
    assert not cluster.home.exists()
