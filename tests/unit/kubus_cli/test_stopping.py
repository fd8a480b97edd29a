"""Ending processes without a supervisor: those that were written down, of the cluster that owns the number."""

import subprocess
import sys
from dataclasses import replace

import pytest

from kubus_cli import leftovers, ownership, stopping


@pytest.fixture
def process():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as made:
        yield made
        made.kill()


def test_processes_that_were_written_down_end_and_need_no_force(cluster, process):
    ownership.claim(cluster)
    leftovers.remember(cluster.run_dir, {"relay": process.pid})
    assert stopping.end_processes(cluster) == []
    assert process.wait() == -15


def test_what_does_not_end_when_told_to_is_killed_and_named(cluster, monkeypatch):
    monkeypatch.setattr(stopping, "END_SECONDS", 0.2)
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    ownership.claim(cluster)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout is not None and stubborn.stdout.readline()
        leftovers.remember(cluster.run_dir, {"relay": stubborn.pid})
        assert stopping.end_processes(cluster) == ["relay"]
        assert stubborn.wait() == -9


def test_processes_of_the_cluster_that_took_the_number_go_on(cluster, process, tmp_path):
    ownership.claim(cluster)
    leftovers.remember(cluster.run_dir, {"relay": process.pid})
    assert stopping.end_processes(replace(cluster, home=tmp_path / "stopped")) == []
    assert process.poll() is None
