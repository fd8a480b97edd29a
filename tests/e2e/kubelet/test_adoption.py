"""A kubelet that dies, and what the next one makes of what it finds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kubus_kubelet.cleanup import clean_up

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


def exists(path):
    return Path(path).exists()


async def restarted(node):
    """The same node with a new kubelet, told of the pods that the API has."""
    fresh = type(node)(node.settings)
    fresh.api = node.api
    await fresh.start()
    for pod in node.pods_by_uid.values():
        fresh.pods_by_uid[pod["metadata"]["uid"]] = pod
        fresh.parts.pods.changed(pod)
    fresh.parts.pods.settle(set(fresh.pods_by_uid))
    return fresh


async def test_a_restarted_kubelet_adopts_everything_and_restarts_nothing(node, image):
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 30}
    pods = [node.run_pod(f"kept-{n}", shell(image, "exec sleep 1000", readinessProbe=probe)) for n in range(4)]
    before = [await node.running(pod) for pod in pods]
    events = len(node.api.events)
    await node.kill()
    fresh = await restarted(node)
    try:
        for pod, status in zip(pods, before, strict=True):
            assert await fresh.running(pod) == status
        assert len(node.api.events) == events
    finally:
        await fresh.kill()


async def test_what_ended_while_no_kubelet_looked_is_started_again(node, image):
    pod = node.run_pod("ended", shell(image, "echo up; sleep 1; exit 5"))
    await node.running(pod)
    await node.kill()
    await asyncio.sleep(1.5)
    fresh = await restarted(node)
    try:
        status = await fresh.until(pod, lambda status: status["containerStatuses"][0]["restartCount"] == 1)
        assert status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 5
    finally:
        await fresh.kill()


async def test_a_pod_deleted_meanwhile_is_removed(node, image):
    pod = node.run_pod("orphan", shell(image, "exec sleep 1000"))
    kept = node.run_pod("kept", shell(image, "exec sleep 1000"))
    await node.running(pod)
    await node.running(kept)
    await node.kill()
    del node.pods_by_uid[pod["metadata"]["uid"]]
    fresh = await restarted(node)
    try:
        await fresh.gone(pod)
        assert {each["Labels"]["kubus.pod.name"] for each in await fresh.parts.tools.engine.containers()} == {"kept"}
        assert fresh.api.finished == []
        assert not exists(f"/run/netns/{pod['metadata']['uid']}")
    finally:
        await fresh.kill()


async def test_pods_are_looked_after_while_the_api_is_away(node, image):
    pod = node.run_pod("alone", shell(image, "exec sleep 1000"))
    status = await node.running(pod)
    container = status["containerStatuses"][0]["containerID"].removeprefix("podman://")
    await node.kill()
    fresh = type(node)(node.settings)
    await fresh.start()
    try:
        await fresh.parts.tools.engine.kill(container, "SIGKILL")
        worker = fresh.parts.pods.workers[pod["metadata"]["uid"]]
        async with asyncio.timeout(90):
            while (1, "running") not in [(each.attempt, each.step) for each in worker.seen.containers]:
                await asyncio.sleep(0.01)
        assert fresh.decided == {}
    finally:
        await fresh.kill()


async def test_a_pod_whose_containers_are_gone_is_counted_on_and_never_means_never(node, image):
    always = node.run_pod("always", shell(image, "exec sleep 1000"))
    never = node.run_pod("never", shell(image, "exec sleep 1000"), restartPolicy="Never")
    await node.running(always)
    await node.running(never)
    await node.kill()
    await clean_up(node.settings, purge=False)
    fresh = await restarted(node)
    try:
        status = await fresh.until(always, lambda status: "running" in status["containerStatuses"][0]["state"])
        assert status["containerStatuses"][0]["restartCount"] == 1
        status = await fresh.until(never, lambda status: status["phase"] == "Failed")
        assert status["containerStatuses"][0]["state"]["terminated"]["reason"] == "ContainerStatusUnknown"
    finally:
        await fresh.kill()
