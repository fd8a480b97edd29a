"""attach to real containers, over sessions on a bus."""

from __future__ import annotations

import asyncio

import pytest

from kubus.bus.sessions import STDIN

pytestmark = pytest.mark.e2e


def shell(image, script, name="app", **more):
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


async def test_attach_gives_the_containers_own_streams(node, image, talk):
    pod = node.run_pod("attach", shell(image, "read line; echo got $line", stdin=True), restartPolicy="Never")
    await node.running(pod)
    session = await talk.open(pod, "attach", stdin=True)
    await session.send(STDIN, b"hello\n")
    out, _, status = await talk.received(session)
    assert out == "got hello\n"
    assert status["status"] == "Success"


READ = "while read line; do echo got $line; done; echo input ended; exec sleep 1000"


async def printed(node, pod, text):
    """Wait until the container's log is as expected."""
    async with asyncio.timeout(60):
        while node.log(pod, "app") != text:
            await asyncio.sleep(0.05)


async def test_input_stays_open_for_the_next_client(node, image, talk):
    pod = node.run_pod("many", shell(image, READ, stdin=True), restartPolicy="Never")
    await node.running(pod)
    expected = ""
    for word in ("one", "two", "three"):
        session = await talk.open(pod, "attach", stdin=True)
        await session.send(STDIN, f"{word}\n".encode())
        await session.close_channel(STDIN)
        expected += f"got {word}\n"
        await printed(node, pod, expected)
        await session.aclose()


async def test_input_ends_with_the_first_client_where_the_pod_says_so(node, image, talk):
    pod = node.run_pod("once", shell(image, READ, stdin=True, stdinOnce=True), restartPolicy="Never")
    await node.running(pod)
    session = await talk.open(pod, "attach", stdin=True)
    await session.send(STDIN, b"one\n")
    await session.close_channel(STDIN)
    await printed(node, pod, "got one\ninput ended\n")
