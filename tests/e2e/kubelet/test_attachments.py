"""attach to real containers, over sessions on a bus."""

from __future__ import annotations

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
