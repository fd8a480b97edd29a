"""The processes of a node in one container."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from kubus.service.life import EXIT_CONFIG
from kubus_cli.node_processes import NodeSettings, keep_running, main, process_environments


def test_each_process_has_an_identity_and_a_certificate_of_its_own():
    told = process_environments(NodeSettings("n1", Path("/keys")), {"KUBUS_NODE_NAME": "n1", "PATH": "/bin"})
    shown = {name: (each["KUBUS_IDENTITY"], each["KUBUS_NATS_KEY_FILE"]) for name, each in told.items()}
    assert shown == {
        "kubelet": ("system:node:n1", "/keys/kubelet-n1.key"),
        "proxy": ("system:kube-proxy", "/keys/proxy.key"),
    }
    assert all(each["KUBUS_NODE_NAME"] == "n1" and each["PATH"] == "/bin" for each in told.values())


def test_without_a_name_it_says_what_is_missing():
    assert main({}) == EXIT_CONFIG


def is_running(pid):
    return Path(f"/proc/{pid}").exists()


async def lines(path, count):
    async with asyncio.timeout(30):
        while True:
            found = path.read_text().split() if path.exists() else []
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["ends", "is killed"])
async def test_a_process_that_ends_is_started_again_until_told_to_stop(tmp_path, how):
    started = tmp_path / "started"
    then = "" if how == "ends" else "import time; time.sleep(600)"
    script = f"import os; open({str(started)!r}, 'a').write(f'{{os.getpid()}}\\n'); {then}"
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_running((sys.executable, "-c", script), os.environ, stop))
        (first, *_) = await lines(started, 1)
        if how == "is killed":
            os.kill(int(first), 9)
        pids = await lines(started, 2)
        stop.set()
    assert len(set(pids)) == len(pids)
    assert not any(is_running(pid) for pid in await lines(started, 2))
