"""Pods on a real node: Podman, namespaces, files."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


async def test_a_pod_runs_and_goes(node, image):
    pod = node.run_pod("web", {"name": "app", "image": image, "command": ["sh", "-c", "echo hello; sleep 100"]})
    status = await node.running(pod)
    assert status["phase"] == "Running"
    assert status["podIP"].startswith("10.233.77.")
    assert status["containerStatuses"][0]["containerID"].startswith("podman://")
    assert node.log(pod, "app") == "hello\n"
    node.delete_pod(pod)
    await node.gone(pod)
    assert node.api.finished == ["web"]
    assert [reason for reason, _ in node.events("web")] == ["Pulled", "Created", "Started", "Killing"]
