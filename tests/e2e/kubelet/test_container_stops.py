"""Containers brought down within their grace period."""

from __future__ import annotations

import asyncio

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


async def test_a_pre_stop_hook_without_end_has_the_grace_period_and_then_the_signal_comes(node, image, tmp_path):
    script = "trap 'echo term >> /out/log; exit 0' TERM; while true; do sleep 0.1; done"
    pod = node.run_pod(
        "endless",
        shell(
            image,
            script,
            lifecycle={"preStop": {"exec": {"command": ["sleep", "600"]}}},
            volumeMounts=[{"name": "out", "mountPath": "/out"}],
        ),
        volumes=[{"name": "out", "hostPath": {"path": str(tmp_path / "out"), "type": "DirectoryOrCreate"}}],
        terminationGracePeriodSeconds=1,
    )
    await node.running(pod)
    node.delete_pod(pod)
    await node.gone(pod, seconds=60)
    assert (tmp_path / "out" / "log").read_text() == "term\n"
    assert "FailedPreStopHook" in [reason for reason, _ in node.events("endless")]


async def test_a_container_is_running_and_probed_and_the_next_one_starts_after_its_post_start_hook(
    node, image, tmp_path
):
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "until [ -e /out/go ]; do sleep 0.1; done"]}}}
    out = {"name": "out", "mountPath": "/out"}
    probe = {"exec": {"command": ["test", "-e", "/out/go"]}, "failureThreshold": 1, "periodSeconds": 1}
    pod = node.run_pod(
        "hooked",
        shell(image, "exec sleep 600", lifecycle=hook, volumeMounts=[out], livenessProbe=probe),
        shell(image, "exec sleep 600", "next"),
        volumes=[{"name": "out", "hostPath": {"path": str(tmp_path / "out"), "type": "DirectoryOrCreate"}}],
    )
    async with asyncio.timeout(30):
        while ("Started", "Started container app") not in node.events("hooked"):
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.5)  # in which a probe would have failed, and the other container have come
    status = node.decided["hooked"][-1]
    assert status["phase"] == "Pending"
    assert [each["state"] for each in status["containerStatuses"]] == [{"waiting": {"reason": "ContainerCreating"}}] * 2
    assert ("Started", "Started container next") not in node.events("hooked")
    (tmp_path / "out" / "go").touch()
    status = await node.running(pod, seconds=30)
    assert [each["restartCount"] for each in status["containerStatuses"]] == [0, 0]


async def test_a_post_start_hook_that_fails_ends_the_container(node, image):
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "echo not today; exit 3"]}}}
    pod = node.run_pod("broken", shell(image, "exec sleep 600", lifecycle=hook))
    status = await node.until(pod, lambda status: status["containerStatuses"][0]["restartCount"] == 1, seconds=60)
    assert all("running" not in each["containerStatuses"][0]["state"] for each in node.decided["broken"])
    assert status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] in (137, 143)
    assert ("FailedPostStartHook", "PostStartHook failed: not today") in node.events("broken")
    assert ("Killing", "FailedPostStartHook") in node.events("broken")


async def test_a_pod_is_deleted_in_the_midst_of_its_post_start_hook(node, image):
    hook = {"postStart": {"exec": {"command": ["sleep", "600"]}}}
    pod = node.run_pod("midst", shell(image, "exec sleep 600", lifecycle=hook))
    async with asyncio.timeout(30):
        while ("Started", "Started container app") not in node.events("midst"):
            await asyncio.sleep(0.05)
    node.delete_pod(pod)
    await node.gone(pod, seconds=60)
    assert node.api.finished == ["midst"]
