"""A cluster whose etcd is restored from a snapshot goes on with the restored world, as docs/backup.md says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import IMAGE, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e


@pytest.fixture
def etcdctl() -> str:
    """The command line of etcd."""
    found = shutil.which("etcdctl")
    if found is None:
        pytest.skip("a restore needs etcdctl")
    return found


def run(etcdctl: str, *arguments: str) -> None:
    done = subprocess.run(
        [etcdctl, *arguments], env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def names(cluster: Cluster, namespace: str, kind: str) -> set[str]:
    return {each["metadata"]["name"] for each in cluster.get(kind, "-n", namespace)["items"]}


def ready_containers(cluster: Cluster, namespace: str) -> list[str]:
    """The ids of containers that are ready."""
    pods = cluster.get("pods", "-n", namespace)["items"]
    statuses = [status for pod in pods for status in pod["status"].get("containerStatuses", ())]
    return [each["containerID"] for each in statuses if each["ready"]]


def restore(cluster: Cluster, etcdctl: str, backup: Path) -> None:
    """As docs/backup.md has it, on a running cluster."""
    ports = json.loads((cluster.home / "cluster.json").read_text())["ports"]
    peer = f"https://127.0.0.1:{ports['etcd_peer']}"
    restored = cluster.home / "etcd.restored"
    arguments = ["--name", cluster.name, "--initial-cluster", f"{cluster.name}={peer}"]
    arguments += ["--initial-advertise-peer-urls", peer, "--initial-cluster-token", f"restored-{time.time_ns()}"]
    run(etcdctl, "snapshot", "restore", str(backup), "--data-dir", str(restored), *arguments)
    (cluster.home / "etcd").rename(cluster.home / f"etcd.before.{time.time_ns()}")
    restored.rename(cluster.home / "etcd")
    cluster.kubus("kill", "etcd")


def test_after_a_restore_everything_is_as_it_was_saved(
    three_nodes: Cluster, wide_namespace: str, etcdctl: str, tmp_path: Path
) -> None:
    cluster, namespace = three_nodes, wide_namespace
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=deployment("kept", 2, IMAGE))
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/kept", "--timeout=60s")
    cluster.kubectl("create", "configmap", "settings", "-n", namespace, "--from-literal=a=saved")
    before = names(cluster, namespace, "pods")
    old = set(ready_containers(cluster, namespace))
    assert len(old) == 2

    ports = json.loads((cluster.home / "cluster.json").read_text())["ports"]
    pki, backup = cluster.home / "pki", tmp_path / "backup.db"
    access = ["--cacert", str(pki / "etcd-ca.crt"), "--cert", str(pki / "etcd-root.crt")]
    access += ["--key", str(pki / "etcd-root.key"), "--endpoints", f"https://127.0.0.1:{ports['etcd']}"]
    run(etcdctl, *access, "snapshot", "save", str(backup))

    cluster.kubectl("delete", "deployment", "kept", "-n", namespace, "--timeout=60s")
    cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=deployment("later", 2, IMAGE))
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/later", "--timeout=60s")
    cluster.kubectl("patch", "configmap", "settings", "-n", namespace, "-p", '{"data": {"a": "changed"}}')
    eventually(
        lambda: before & names(cluster, namespace, "pods"), expected=lambda left: not left, what="the old pods' end"
    )

    restore(cluster, etcdctl, backup)

    def settings() -> str:
        found = cluster.kubectl(
            "get", "configmap", "settings", "-n", namespace, "-o", "jsonpath={.data.a}", check=False
        )
        return found.stdout

    eventually(settings, seconds=60, expected=lambda value: value == "saved", what="the restored world")
    assert names(cluster, namespace, "deployments") == {"kept"}
    cluster.kubectl("scale", "deployment", "kept", "-n", namespace, "--replicas=3")
    eventually(
        lambda: set(ready_containers(cluster, namespace)) - old,
        seconds=90,
        expected=lambda new: len(new) == 3,
        what="new containers of the restored pods and of a third one",
    )
    assert names(cluster, namespace, "pods") > before
