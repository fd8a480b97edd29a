"""Sandboxes in the kernel: damage from outside, and pods that go while they are being made."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from kubus_kubelet.kernel import mounts_below
from kubus_kubelet.sandbox import device_of, netns_path
from kubus_kubelet.settings import NodePaths

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


def uid_of(pod):
    return pod["metadata"]["uid"]


async def test_a_sandbox_that_is_deleted_is_made_again_with_its_containers(node, image):
    named = node.run_pod("unnamed", shell(image, "exec sleep 1000"))
    wired = node.run_pod("unwired", shell(image, "exec sleep 1000"))
    once = node.run_pod("once", shell(image, "exec sleep 1000"), restartPolicy="Never")
    before = {uid_of(pod): (await node.running(pod))["podIP"] for pod in (named, wired, once)}
    run("ip", "netns", "del", uid_of(named))
    run("ip", "netns", "del", uid_of(once))
    run("nsenter", f"--net={node.settings.node_netns}", "ip", "link", "del", device_of(uid_of(wired)))

    def is_back(status):
        (container,) = status["containerStatuses"]
        return status["podIP"] not in before.values() and container["restartCount"] == 1 and container["ready"]

    for pod in (named, wired):
        await node.until(pod, is_back)
        assert netns_path(uid_of(pod)).exists()
    await node.until(once, lambda status: status["phase"] == "Failed")


async def test_pods_that_are_deleted_while_they_are_made_leave_nothing(node, image):
    secret = {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    pods = []
    for number in range(24):
        pods.append(node.run_pod(f"brief-{number}", shell(image, "exec sleep 1000"), volumes=[secret]))
        await asyncio.sleep(0.01 * (number % 5))
        node.delete_pod(pods[-1])
        await asyncio.sleep(0.01 * (number % 3))
        node.parts.pods.changed(pods[-1])
    for pod in pods:
        await node.gone(pod)
    paths = NodePaths.of(node.settings)
    assert [netns_path(uid_of(pod)) for pod in pods if netns_path(uid_of(pod)).exists()] == []
    assert node.parts.tools.addresses.uids() == set()
    node.parts.pods.settle(set())
    async with asyncio.timeout(60):
        while (
            await node.parts.tools.engine.containers()
        ):  # Podman may end a call that was cut off; the audit removes it
            await asyncio.sleep(0.1)
    assert list(paths.pods.iterdir()) == []
    assert mounts_below(paths.pods) == []
    assert run("nsenter", f"--net={node.settings.node_netns}", "ip", "-o", "link", "show", "type", "veth") == b""


async def test_a_name_without_a_namespace_is_no_sandbox(node, image):
    pod = node.run_pod("again", shell(image, "exec sleep 1000"))
    uid = uid_of(pod)
    run("touch", str(netns_path(uid)))
    await node.running(pod)
    node.delete_pod(pod)
    await node.gone(pod)
    assert not netns_path(uid).exists()
