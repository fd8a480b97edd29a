"""Containers brought down within their grace period."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_a_pre_stop_hook_and_the_stop_signal_have_the_grace_period(node, image, tmp_path):
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> /out/log"]}}}
    script = "trap 'echo term >> /out/log; exit 0' TERM; while true; do sleep 0.1; done"
    pod = node.run_pod(
        "polite",
        shell(image, script, lifecycle=hook, volumeMounts=[{"name": "out", "mountPath": "/out"}]),
        volumes=[{"name": "out", "hostPath": {"path": str(tmp_path / "out"), "type": "DirectoryOrCreate"}}],
        terminationGracePeriodSeconds=10,
    )
    await node.running(pod)
    node.delete_pod(pod)
    await node.gone(pod)
    assert (tmp_path / "out" / "log").read_text() == "hook\nterm\n"
