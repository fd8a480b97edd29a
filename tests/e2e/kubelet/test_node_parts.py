"""The parts of a node, put together and let go."""

from __future__ import annotations

import pytest

from kubus_kubelet import machine
from kubus_kubelet.settings import NodePaths

pytestmark = pytest.mark.e2e


async def test_a_node_has_the_machines_capacity_unless_it_is_told_another(node):
    tools = node.parts.tools
    assert (tools.cpu_millis, tools.memory_bytes) == (machine.cpu_millis(), machine.memory_bytes())


async def test_letting_go_ends_the_service_and_leaves_the_containers(node, image):
    pod = node.run_pod("stays", {"name": "app", "image": image, "command": ["sleep", "1000"]})
    await node.running(pod)
    pid = node.parts.pods.workers[pod["metadata"]["uid"]].seen.containers[0].pid
    await node.kill()
    paths = NodePaths.of(node.settings)
    assert not paths.podman_pid.exists()
    assert b"sleep" in (paths.run.parents[-1] / "proc" / str(pid) / "cmdline").read_bytes()
