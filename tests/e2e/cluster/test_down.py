"""`kubus down` when nothing is left that could help it."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from .conftest import IMAGE, Cluster, deployment

pytestmark = pytest.mark.e2e


def test_it_cleans_up_after_every_process_was_killed(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    try:
        cluster.kubus("up")
        cluster.kubectl("apply", "-f", "-", stdin=deployment("web", 1, IMAGE))
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s")
        pids = {name: each["pid"] for name, each in cluster.status().items()}
        for name in ("supervisor", "forkserver", *pids):
            if pid := pids.pop(name, 0):
                os.kill(pid, signal.SIGKILL)
    finally:
        done = cluster.kubus("down", check=False)
    assert done.returncode == 0, done.stderr
    assert "there is no cluster" not in done.stderr
    again = cluster.kubus("down", "--purge")
    assert "removed" in again.stderr
    assert not cluster.home.exists()


def test_a_cluster_whose_home_was_removed_ends_all_the_same(image: str, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "home", 1)
    cluster.home.mkdir()
    try:
        cluster.kubus("up", timeout=300)
        pids = [each["pid"] for each in cluster.status().values() if each["pid"]]
        shutil.rmtree(cluster.home, ignore_errors=True)
    finally:
        done = cluster.kubus("down", "--purge", check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    assert "there is no cluster" not in done.stderr
    assert [pid for pid in pids if Path(f"/proc/{pid}/exe").exists()] == []
    assert "there is no cluster" in cluster.kubus("down").stderr
