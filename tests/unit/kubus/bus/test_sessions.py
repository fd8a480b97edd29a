"""Sessions keep a stream whole over a bus that does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubus.bus import sessions
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.sessions import (
    CLOSE,
    ERROR,
    STDIN,
    STDOUT,
    WINDOW_FRAMES,
    Session,
    SessionLost,
    Work,
    open_session,
    serve_sessions,
)
from kubus.model import errors
from kubus.model.codec import from_json, pack
from kubus.model.errors import StatusError


def accepting(work: Work) -> sessions.Accept:
    async def accept(call: dict[str, Any]) -> Work:
        if call["verb"] == "refuse":
            raise errors.not_found("pods", "", "web")
        return work

    return accept


async def echo(session: Session) -> None:
    """Sends stdin back on stdout until stdin is closed."""
    while (received := await session.receive()) is not None:
        channel, data = received
        if channel == CLOSE:
            return
        await session.send(STDOUT, data)


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


async def drain(session: Session) -> list[tuple[int, bytes]]:
    got = []
    while (received := await session.receive()) is not None:
        got.append(received)
    return got


async def test_what_goes_in_comes_out_and_the_end_is_an_end(broker: MemoryBroker) -> None:
    apiserver, kubelet = MemoryBus(broker), MemoryBus(broker)
    server = await serve_sessions(kubelet, "n1.example", accepting(echo))
    session = await open_session(apiserver, "n1.example", {"verb": "exec"})
    await session.send(STDIN, b"hello")
    await session.close_channel(STDIN)
    assert await drain(session) == [(STDOUT, b"hello")]
    await session.aclose()
    await server.aclose()


async def test_a_refused_call_is_the_kubelets_status(broker: MemoryBroker) -> None:
    server = await serve_sessions(MemoryBus(broker), "n1", accepting(echo))
    with pytest.raises(StatusError) as refused:
        await open_session(MemoryBus(broker), "n1", {"verb": "refuse"})
    assert refused.value.code == 404
    await server.aclose()


async def test_a_node_without_a_kubelet_cannot_be_reached(broker: MemoryBroker) -> None:
    with pytest.raises(StatusError) as away:
        await open_session(MemoryBus(broker), "n1", {"verb": "exec"})
    assert away.value.code == 503


async def test_a_call_that_makes_no_sense_is_a_bad_request(broker: MemoryBroker) -> None:
    server = await serve_sessions(MemoryBus(broker), "n1", accepting(echo))
    reply = await MemoryBus(broker).request("kubus.node.n1.call", pack(["?"]))
    assert b"BadRequest" in reply
    await server.aclose()


async def test_much_more_than_a_window_arrives_whole_and_in_order(broker: MemoryBroker) -> None:
    data = bytes(range(256)) * 40_000  # ten windows of bytes

    async def pour(session: Session) -> None:
        await session.send(STDOUT, data)

    server = await serve_sessions(MemoryBus(broker), "n1", accepting(pour))
    session = await open_session(MemoryBus(broker), "n1", {"verb": "log"})
    assert b"".join(chunk for _, chunk in await drain(session)) == data
    await session.aclose()
    await server.aclose()


async def test_a_reader_that_does_not_take_stops_the_sender(broker: MemoryBroker) -> None:
    sent = 0

    async def pour(session: Session) -> None:
        nonlocal sent
        while True:
            await session.send(STDOUT, b"x")
            sent += 1

    server = await serve_sessions(MemoryBus(broker), "n1", accepting(pour))
    session = await open_session(MemoryBus(broker), "n1", {"verb": "log"})
    await asyncio.sleep(0.05)
    assert sent == WINDOW_FRAMES
    for _ in range(WINDOW_FRAMES):
        await session.receive()
    await asyncio.sleep(0.05)
    assert sent > WINDOW_FRAMES
    await session.aclose()
    await server.aclose()


async def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("error", [errors.internal("no such container"), OSError("no such container")])
async def test_a_failing_handler_says_so_on_the_error_channel(
    broker: MemoryBroker, error: Exception, grouped: bool
) -> None:
    async def fail(session: Session) -> None:
        if not grouped:
            raise error
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_raise(SessionLost("the client has left")))
            tasks.create_task(_raise(error))

    server = await serve_sessions(MemoryBus(broker), "n1", accepting(fail))
    session = await open_session(MemoryBus(broker), "n1", {"verb": "exec"})
    [(channel, data)] = await drain(session)
    assert channel == ERROR
    status = from_json(data)
    assert status["code"] == 500
    assert "no such container" in status["message"]
    await session.aclose()
    await server.aclose()


async def test_a_lost_frame_ends_the_session_instead_of_leaving_a_hole(broker: MemoryBroker) -> None:
    async def pour(session: Session) -> None:
        await session.send(STDOUT, b"one")
        session._sent_frames += 1  # the bus swallows the second frame
        await session.send(STDOUT, b"three")

    server = await serve_sessions(MemoryBus(broker), "n1", accepting(pour))
    session = await open_session(MemoryBus(broker), "n1", {"verb": "log"})
    assert await session.receive() == (STDOUT, b"one")
    with pytest.raises(SessionLost, match="frame 2 was lost"):
        await session.receive()
    await session.aclose()
    await server.aclose()


async def test_a_client_that_leaves_ends_the_kubelets_side(broker: MemoryBroker) -> None:
    ended = asyncio.Event()

    async def wait(session: Session) -> None:
        assert await session.receive() is None
        ended.set()

    server = await serve_sessions(MemoryBus(broker), "n1", accepting(wait))
    session = await open_session(MemoryBus(broker), "n1", {"verb": "attach"})
    await session.aclose()
    async with asyncio.timeout(1):
        await ended.wait()
    with pytest.raises(SessionLost):
        await session.send(STDIN, b"late")
    await server.aclose()


async def test_a_session_in_which_nothing_is_said_ends(broker: MemoryBroker) -> None:
    """Found with `kubectl logs --tail=0`: the kubelet had said goodbye before the apiserver listened."""

    async def nothing(session: Session) -> None:
        return

    apiserver, kubelet = MemoryBus(broker), MemoryBus(broker)
    server = await serve_sessions(kubelet, "n1", accepting(nothing))
    session = await open_session(apiserver, "n1", {"verb": "log"})
    async with asyncio.timeout(2):
        assert await session.receive() is None
    await session.aclose()
    await server.aclose()
