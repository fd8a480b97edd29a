"""How ends are noticed."""

from __future__ import annotations

import asyncio
import os

import pytest

from kubus_kubelet.exits import ExitWatch, memory_cgroup

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_memory_beyond_the_limit_ends_as_oom_killed(node, image):
    hungry = "sleep 0.3; x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done"
    pod = node.run_pod("hungry", shell(image, hungry, resources={"limits": {"memory": "20Mi"}}), restartPolicy="Never")
    status = await node.until(pod, lambda status: status["phase"] == "Failed")
    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


async def test_the_end_of_a_container_is_noticed_at_once(node, image):
    pod = node.run_pod("ends", shell(image, "exec sleep 1000"))
    await node.running(pod)
    worker = node.parts.pods.workers[pod["metadata"]["uid"]]
    loop, found = asyncio.get_running_loop(), worker.seen.containers[0]
    ended = asyncio.Event()
    watch = ExitWatch(found.id, found.pid, ended.set)
    began = loop.time()
    watch.signal(9)
    await asyncio.wait_for(ended.wait(), 1)
    assert loop.time() - began < 1
    watch.signal(9)


async def test_a_process_that_is_not_the_containers_is_not_watched():
    with pytest.raises(ProcessLookupError):
        ExitWatch("0" * 64, os.getpid(), print)
    assert memory_cgroup(2**22) is None
