"""Clusters side by side on one machine: each has its own ports and networks, and no command reaches another one."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import Cluster

pytestmark = pytest.mark.e2e


def _clusters(directory: Path, count: int) -> list[Cluster]:
    made = [Cluster(directory / f"home-{number}", 0) for number in range(count)]
    for each in made:
        each.home.mkdir()
    return made


def _document(cluster: Cluster) -> dict[str, object]:
    found: dict[str, object] = json.loads((cluster.home / "cluster.json").read_text())
    return found


def test_clusters_that_start_at_once_share_neither_a_port_nor_a_network(image: str, tmp_path: Path) -> None:
    clusters = _clusters(tmp_path, 3)
    try:
        with ThreadPoolExecutor() as pool:
            done = list(pool.map(lambda each: each.kubus("up", timeout=300, check=False), clusters))
        assert [each.returncode for each in done] == [0, 0, 0], [each.stderr for each in done]
        documents = [_document(each) for each in clusters]
        assert len({document["number"] for document in documents}) == 3
        ports = [port for document in documents for port in document["ports"].values()]  # type: ignore[attr-defined]
        assert len(set(ports)) == len(ports)
        for each in clusters:
            assert each.kubectl("get", "nodes", "-o", "name").stdout.split() == ["node/node-1"]
    finally:
        for each in clusters:
            each.kubus("down", "--purge", check=False, timeout=180)


def test_commands_for_a_stopped_cluster_do_not_reach_one_that_took_its_number(image: str, tmp_path: Path) -> None:
    stopped, running = _clusters(tmp_path, 2)
    try:
        stopped.kubus("up", timeout=300)
        stopped.kubus("down", timeout=180)
        document = _document(stopped)
        running.kubus("up", timeout=300)
        # Whatever number the second one chose: the first one's file says that it has the same.
        (stopped.home / "cluster.json").write_text(json.dumps({**document, "number": _document(running)["number"]}))
        pids = {name: each["pid"] for name, each in running.status().items()}
        for command in (("status",), ("kill", "scheduler"), ("restart", "scheduler"), ("rotate-tokens",)):
            refused = stopped.kubus(*command, check=False)
            assert refused.returncode == 4 and "is not running" in refused.stderr, (command, refused.stderr)
        refused = stopped.kubus("up", check=False)
        assert refused.returncode == 1 and running.name in refused.stderr and "--purge" not in refused.stderr
        stopped.kubus("down", "--purge")
        assert not stopped.home.exists()
        assert {name: each["pid"] for name, each in running.status().items()} == pids
        assert running.kubectl("get", "nodes", "-o", "name").stdout.split() == ["node/node-1"]
    finally:
        for each in (stopped, running):
            each.kubus("down", "--purge", check=False, timeout=180)


def test_a_port_that_was_asked_for_is_refused_where_another_cluster_has_it(image: str, tmp_path: Path) -> None:
    first, second = _clusters(tmp_path, 2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    try:
        first.kubus("up", "--port", port, timeout=300)
        refused = second.kubus("up", "--port", port, check=False)
        assert refused.returncode == 3
        assert f"port {port} belongs to cluster {first.name!r}" in refused.stderr
        advice = f"kubus up --name {second.name} --home {second.home} --port PORT"
        assert advice in refused.stderr
        moved = first.kubus("up", "--port", "1", check=False)
        assert moved.returncode == 2 and f"runs on port {port}" in moved.stderr
    finally:
        for each in (first, second):
            each.kubus("down", "--purge", check=False, timeout=180)
