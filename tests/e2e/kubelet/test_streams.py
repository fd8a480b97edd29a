"""logs and exec of real containers, over sessions on a bus."""

from __future__ import annotations

import asyncio

import pytest

from kubus.bus.sessions import RESIZE, STDIN
from kubus.model.codec import to_json
from kubus.model.errors import StatusError

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_a_command_has_input_output_and_an_exit_code(node, image, talk):
    pod = node.run_pod("exec", shell(image, "exec sleep 1000", env=[{"name": "WHO", "value": "pod"}]))
    await node.running(pod)
    session = await talk.open(pod, "exec", "sh", "-c", "cat; echo $WHO >&2; exit 3", stdin=True)
    await session.send(STDIN, b"hello\n")
    await session.close_channel(STDIN)
    out, err, status = await talk.received(session)
    assert (out, err) == ("hello\n", "pod\n")
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    session = await talk.open(pod, "exec", "true")
    assert (await talk.received(session))[2]["status"] == "Success"


async def test_a_pod_of_the_host_network_is_probed_and_entered_in_the_nodes_network(node, image, talk):
    probe = {"exec": {"command": ["sh", "-c", "ip addr show lo | grep -q 10.233.76.1"]}, "periodSeconds": 1}
    pod = node.run_pod(
        "hosted", shell(image, "ip addr show lo; exec sleep 100", readinessProbe=probe), hostNetwork=True
    )
    await node.running(pod)
    out, _, status = await talk.received(await talk.open(pod, "exec", "ip", "addr", "show", "lo"))
    assert status["status"] == "Success"
    assert "10.233.76.1" in out
    assert "10.233.76.1" in node.log(pod, "app")


async def test_a_command_that_is_not_in_the_image_is_an_error(node, image, talk):
    pod = node.run_pod("exec", shell(image, "exec sleep 1000"))
    await node.running(pod)
    out, err, status = await talk.received(await talk.open(pod, "exec", "nothing"))
    assert (out, err) == ("", "")
    assert status["reason"] == "InternalError"
    assert 'exec: "nothing": executable file not found in $PATH' in status["message"]


async def test_a_terminal_has_a_size_and_echoes(node, image, talk):
    pod = node.run_pod("tty", shell(image, "exec sleep 1000"))
    await node.running(pod)
    session = await talk.open(pod, "exec", "sh", tty=True, stdin=True)
    await session.send(RESIZE, to_json({"Width": 101, "Height": 31}))
    await asyncio.sleep(0.3)
    await session.send(STDIN, b"stty size; tty; exit 4\n")
    out, _, status = await talk.received(session)
    assert "31 101" in out
    assert "/dev/pts/" in out or "/dev/console" in out
    assert status["details"]["causes"][0]["message"] == "4"


async def test_a_log_is_read_followed_and_cut(node, image, talk):
    pod = node.run_pod("talks", shell(image, "for i in 1 2 3; do echo line $i; done; echo err >&2; sleep 1; echo end"))
    await node.running(pod)
    await asyncio.sleep(0.2)
    out, _, _ = await talk.received(await talk.open(pod, "log", tailLines=2))
    assert out == "line 3\nerr\n"
    out, _, _ = await talk.received(await talk.open(pod, "log", limitBytes=9))
    assert out == "line 1\nli"
    out, _, _ = await talk.received(await talk.open(pod, "log", timestamps=True, tailLines=1))
    assert out.split(" ")[0].endswith("Z") and out.endswith(" err\n")
    followed = await talk.open(pod, "log", follow=True)
    out, _, _ = await talk.received(followed)
    assert out == "line 1\nline 2\nline 3\nerr\nend\n"
    await node.until(pod, lambda status: status["containerStatuses"][0]["restartCount"] == 1)
    out, _, _ = await talk.received(await talk.open(pod, "log", previous=True))
    assert out.endswith("end\n")


async def test_the_log_of_a_container_that_does_not_run_is_refused_in_words(node, image, talk):
    pod = node.run_pod("lost", {"name": "app", "image": "127.0.0.1:1/nothing:1"})
    await node.waiting(pod, "ErrImagePull")
    with pytest.raises(StatusError) as refused:
        await talk.open(pod, "log")
    assert refused.value.code == 400
    assert (
        refused.value.message == 'container "app" in pod "lost" is waiting to start: trying and failing to pull image'
    )
