"""`kubus up`: again, with more nodes, and where it cannot."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Cluster, eventually

pytestmark = pytest.mark.e2e


def test_a_cluster_that_runs_is_left_alone_and_nodes_are_added(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    try:
        cluster.kubus("up")
        pids = {name: each["pid"] for name, each in cluster.status().items()}
        assert "is running already, with 1 node" in cluster.kubus("up").stderr
        assert "added 1 node" in cluster.kubus("up", "--nodes", "2").stderr
        cluster.kubectl("wait", "--for=condition=Ready", "node/node-1", "node/node-2", "--timeout=120s")
        after = cluster.status()
        assert {name: after[name]["pid"] for name in pids} == pids
        assert {"kubelet-node-2", "proxy-node-2"} <= after.keys()
    finally:
        cluster.kubus("down", "--purge", check=False)


def test_a_busy_port_is_said_with_advice(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = cluster.kubus("up", "--port", str(port), check=False)
    assert done.returncode == 3
    assert f"port {port} is busy" in done.stderr and "--port PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_down_of_nothing_is_well(image: str, tmp_path: Path) -> None:
    done = Cluster(tmp_path / "home", 1).kubus("down")
    assert "there is no cluster" in done.stderr


def test_the_clusters_files_are_its_owners(one_node: Cluster) -> None:
    kept = [path for path in (one_node.home / "pki").iterdir() if path.stat().st_mode & 0o077]
    assert kept == []
    assert json.loads((one_node.home / "cluster.json").read_text())["name"] == one_node.name


def test_everything_listens_on_loopback_or_the_clusters_own_bridge(one_node: Cluster) -> None:
    pids = {str(each["pid"]) for each in one_node.status().values()}
    listening = os.popen("ss -Hltnp").read().splitlines()
    ours = [line.split()[3] for line in listening if any(f"pid={pid}," in line for pid in pids)]
    assert ours and all(address.startswith(("127.0.0.1:", "172.30.")) for address in ours)


def test_pods_reach_the_api_by_its_service(one_node: Cluster) -> None:
    bridge = f"kubus{json.loads((one_node.home / 'cluster.json').read_text())['number']}"
    number = int(bridge.removeprefix("kubus"))
    ask = (
        "import ssl, urllib.request as request\n"
        f"address = 'https://10.{96 + number}.0.1/version'\n"
        "context = ssl._create_unverified_context()\n"
        "print(request.urlopen(address, context=context, timeout=10).read().decode())"
    )
    command = ["ip", "netns", "exec", f"{bridge}-node-1", sys.executable, "-c", ask]
    answer = eventually(
        lambda: subprocess.run(command, capture_output=True, text=True, check=False).stdout,
        what="the API's answer inside a node",
    )
    assert json.loads(answer)["major"] == "1"
