"""Podman's REST API, and what happens when it goes away."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kubus_kubelet.engine import Engine, EngineError
from kubus_kubelet.settings import NodePaths

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_pods_outlive_the_podman_service_and_new_ones_start_after_it(node, image):
    first = node.run_pod("first", shell(image, "exec sleep 1000"))
    status = await node.running(first)
    os.kill(int(NodePaths.of(node.settings).podman_pid.read_text()), signal.SIGKILL)
    second = node.run_pod("second", shell(image, "exec sleep 1000"))
    await node.running(second)
    assert node.decided["first"][-1] == status


async def test_what_is_not_there_is_a_404_or_nothing(node):
    engine = node.parts.tools.engine
    with pytest.raises(EngineError) as error:
        await engine.inspect("nothing")
    assert error.value.code == 404
    assert await engine.image("nothing") is None
    await engine.remove("nothing")
    await engine.kill("nothing", "SIGTERM")


async def test_a_podman_that_does_not_answer_is_said_so():
    engine = Engine(Path("/nowhere/podman.sock"))
    with pytest.raises(EngineError, match="podman does not answer") as error:
        await engine.containers()
    assert error.value.code == 0
    await engine.aclose()
