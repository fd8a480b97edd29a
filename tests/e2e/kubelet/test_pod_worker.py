"""One pod from its first container to its end, on real Podman."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_init_containers_run_one_after_the_other_before_the_others(node, image):
    mount = {"volumeMounts": [{"name": "order", "mountPath": "/order"}]}
    pod = node.run_pod(
        "ordered",
        shell(image, "cat /order/log; exec sleep 100", **mount),
        initContainers=[
            shell(image, "echo one >> /order/log", "first", **mount),
            shell(image, "echo side >> /order/log; exec sleep 100", "side", restartPolicy="Always", **mount),
            shell(image, "sleep 0.2; echo two >> /order/log", "second", **mount),
        ],
        volumes=[{"name": "order", "emptyDir": {}}],
    )
    status = await node.running(pod)
    assert node.log(pod, "app").splitlines() == ["one", "side", "two"]
    assert [each["ready"] for each in status["initContainerStatuses"]] == [True, True, True]
    node.delete_pod(pod)
    await node.gone(pod)


async def test_a_container_that_fails_is_started_again_at_once_and_then_waits(node, image):
    pod = node.run_pod("crashing", shell(image, "echo once more; exit 3"))
    status = await node.until(
        pod,
        lambda status: (
            status["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
            and status["containerStatuses"][0]["restartCount"] == 1
        ),
    )
    container = status["containerStatuses"][0]
    assert container["lastState"]["terminated"]["exitCode"] == 3
    assert container["lastState"]["terminated"]["reason"] == "Error"
    assert container["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=app pod=")
    assert status["phase"] == "Running"
    assert node.log(pod, "app", attempt=1) == "once more\n"


async def test_a_killed_container_is_back_and_its_restart_counted(node, image):
    pod = node.run_pod("killed", shell(image, "exec sleep 100"))
    status = await node.running(pod)
    container = status["containerStatuses"][0]["containerID"].removeprefix("podman://")
    await node.parts.tools.engine.kill(container, "SIGKILL")
    status = await node.until(pod, lambda status: status["containerStatuses"][0]["restartCount"] == 1)
    status = await node.running(pod)
    assert status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137


async def test_never_means_never_and_the_phase_tells_the_exit_code(node, image):
    pod = node.run_pod("failing", shell(image, "echo last words > /dev/termination-log; exit 7"), restartPolicy="Never")
    status = await node.until(pod, lambda status: status["phase"] == "Failed")
    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (7, "Error", "last words\n")


async def test_an_ephemeral_container_sees_the_processes_of_its_target(node, image):
    pod = node.run_pod("debugged", shell(image, "exec sleep 1234"))
    await node.running(pod)
    debug = shell(image, "ps | grep 'sleep 123[4]'", "debug", targetContainerName="app")
    node.parts.pods.changed({**pod, "spec": {**pod["spec"], "ephemeralContainers": [debug]}})
    status = await node.until(
        pod, lambda status: status["ephemeralContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    )
    assert status["phase"] == "Running"
    assert "sleep 1234" in node.log(pod, "debug")


async def test_a_pod_has_a_deadline(node, image):
    pod = node.run_pod("late", shell(image, "exec sleep 100"), activeDeadlineSeconds=2)
    await node.running(pod)
    status = await node.until(pod, lambda status: status["phase"] == "Failed")
    assert status["reason"] == "DeadlineExceeded"
