"""Nodes that are removed, and the DNS that pods are told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from .conftest import IMAGE, KUBUS, Cluster, deployment, eventually

pytestmark = pytest.mark.e2e


def remove_node(cluster: Cluster, node: str) -> subprocess.CompletedProcess[str]:
    place = ["--name", cluster.name, "--home", str(cluster.home)]
    command = [str(KUBUS), "node", "remove", node, *place]
    return subprocess.run(command, env=cluster.environ, capture_output=True, text=True, timeout=300, check=False)


def test_a_removed_node_is_gone_and_stays_away_and_its_pods_move(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 2)
    cluster.home.mkdir()
    try:
        cluster.kubus(
            "up", "--nodes", "2", "--cluster-dns", "10.96.0.10", "--cluster-domain", "example.org", timeout=300
        )
        cluster.kubectl("wait", "--for=condition=Ready", "node/node-1", "node/node-2", "--timeout=120s", timeout=130)
        cluster.kubectl("apply", "-f", "-", stdin=deployment("web", 4, IMAGE))
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s", timeout=130)
        resolver = cluster.kubectl("exec", "deployment/web", "--", "cat", "/etc/resolv.conf").stdout.splitlines()
        assert "nameserver 10.96.0.10" in resolver
        assert any(line.startswith("search default.svc.example.org svc.example.org example.org") for line in resolver)
        unknown = remove_node(cluster, "node-9")
        assert unknown.returncode == 2 and "it has node-1, node-2" in unknown.stderr
        removed = remove_node(cluster, "node-1")
        assert removed.returncode == 0, removed.stderr
        assert cluster.kubectl("get", "nodes", "-o", "name").stdout.split() == ["node/node-2"]
        assert not {"kubelet-node-1", "proxy-node-1"} & cluster.status().keys()
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s", timeout=130)
        pods = cluster.get("pods")["items"]
        assert {pod["spec"]["nodeName"] for pod in pods if not pod["metadata"].get("deletionTimestamp")} == {"node-2"}
        number = json.loads((cluster.home / "cluster.json").read_text())["number"]
        spaces = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout.split()
        assert f"kubus{number}-node-2" in spaces and f"kubus{number}-node-1" not in spaces
        assert "with 1 node" in cluster.kubus("up").stderr
        refused = cluster.kubus("up", "--cluster-dns", "10.96.0.11", check=False)
        assert refused.returncode == 2 and "while it is stopped only" in refused.stderr
    finally:
        cluster.kubus("down", "--purge", check=False, timeout=180)


def test_an_interrupted_start_ends_what_it_started_and_says_so(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    reset = ["env", "--default-signal=INT"]  # a test run in the background has it ignored
    command = [*reset, str(KUBUS), "up", "--name", cluster.name, "--home", str(cluster.home)]
    log = cluster.home / "log" / "supervisor.log"
    with subprocess.Popen(command, env=cluster.environ, stderr=subprocess.PIPE, text=True) as up:
        eventually(lambda: log.exists() and "starting" in log.read_text(), seconds=60, what="the supervisor at work")
        os.kill(up.pid, signal.SIGINT)
        assert up.stderr is not None
        said = up.stderr.read()
    assert up.returncode == 130, said
    assert "interrupted" in said and "data stays" in said and "Traceback" not in said
    assert cluster.kubus("status", check=False).returncode == 4
    cluster.kubus("down", "--purge")


def test_a_read_only_home_is_a_sentence(image: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(home)], check=True)
    try:
        done = Cluster(home, 1).kubus("up", check=False)
    finally:
        subprocess.run(["umount", str(home)], check=True)
    assert done.returncode == 3
    assert "Read-only file system" in done.stderr and "--home" in done.stderr and "Traceback" not in done.stderr
