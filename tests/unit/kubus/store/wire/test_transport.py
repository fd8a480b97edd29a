"""What the transport makes of the loop: one write a turn, answers at once, nothing left behind."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from kubus.store.wire import frames
from kubus.store.wire.frames import FrameReader
from kubus.store.wire.messages import prefixed
from kubus.store.wire.statuses import CallFailed, Status
from kubus.store.wire.transport import Transport
from kubus.testing.rpc_server import block

ANSWER = (frames.END_HEADERS, block(status="200", content_type="application/grpc"))
END = (frames.END_HEADERS | frames.END_STREAM, block(grpc_status="0", grpc_message=""))


class Wire:
    """A socket that remembers what was written to it."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def get_extra_info(self, name: str) -> Any:
        return None

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed

    def frames(self) -> list[int]:
        """Kinds of the frames of the last write."""
        return [frame.kind for frame in FrameReader().feed(self.writes[-1])]


def answered(stream: int, message: bytes) -> bytes:
    return (
        frames.frame(frames.HEADERS, ANSWER[0], stream, ANSWER[1])
        + frames.frame(frames.DATA, 0, stream, prefixed(message))
        + frames.frame(frames.HEADERS, END[0], stream, END[1])
    )


async def connected() -> tuple[Transport, Wire]:
    transport, wire = Transport("http", "etcd:2379"), Wire()
    transport.connection_made(cast(asyncio.BaseTransport, wire))
    transport.data_received(frames.settings({}))
    await transport.ready
    await asyncio.sleep(0)
    wire.writes.clear()
    return transport, wire


async def test_the_calls_of_one_turn_are_one_write_and_its_answers_come_by_one_read():
    transport, wire = await connected()
    deadline = asyncio.get_running_loop().time() + 10
    answers = [transport.call("/a.B/C", b"%d" % each, deadline)[1] for each in range(20)]
    await asyncio.sleep(0)
    assert len(wire.writes) == 1
    assert wire.frames() == [frames.HEADERS, frames.DATA] * 20
    transport.data_received(b"".join(answered(1 + 2 * each, b"%d!" % each) for each in range(20)))
    assert [answer.result() for answer in answers] == [b"%d!" % each for each in range(20)]
    transport.abort()


async def test_reading_what_asks_for_nothing_writes_nothing():
    transport, wire = await connected()
    conversation = transport.converse("/a.B/C", ())
    conversation.send(b"watch")
    await asyncio.sleep(0)
    assert wire.frames() == [frames.HEADERS, frames.DATA]
    wire.writes.clear()
    transport.data_received(frames.frame(frames.HEADERS, ANSWER[0], 1, ANSWER[1]))
    transport.data_received(frames.frame(frames.DATA, 0, 1, prefixed(b"a") + prefixed(b"b")))
    transport.data_received(frames.frame(frames.DATA, 0, 1, prefixed(b"c")))
    assert await conversation.messages() == [b"a", b"b", b"c"]
    await asyncio.sleep(0)
    assert wire.writes == []
    conversation.close()
    await asyncio.sleep(0)
    assert wire.frames() == [frames.RST_STREAM]


async def test_what_came_before_the_end_of_a_conversation_is_still_read():
    transport, _ = await connected()
    conversation = transport.converse("/a.B/C", ())
    conversation.send(b"watch")
    transport.data_received(answered(1, b"last words"))
    assert await conversation.messages() == [b"last words"]
    with pytest.raises(CallFailed) as ended:
        await conversation.messages()
    assert ended.value.status is Status.OK
    conversation.send(b"too late")
    conversation.close()


async def test_an_end_without_an_answer_is_a_failure():
    transport, _ = await connected()
    _, answer = transport.call("/a.B/C", b"", asyncio.get_running_loop().time() + 10)
    transport.data_received(
        frames.frame(frames.HEADERS, ANSWER[0], 1, ANSWER[1]) + frames.frame(frames.HEADERS, END[0], 1, END[1])
    )
    with pytest.raises(CallFailed, match="no answer"):
        await answer


async def test_a_cancelled_call_leaves_nothing_behind_and_its_answer_is_passed_over():
    transport, wire = await connected()
    stream, answer = transport.call("/a.B/C", b"", asyncio.get_running_loop().time() + 10)
    await asyncio.sleep(0)
    answer.cancel()
    transport.cancel(stream)
    transport.cancel(stream)
    await asyncio.sleep(0)
    assert wire.frames() == [frames.RST_STREAM]
    assert not transport._callers
    transport.data_received(answered(1, b"late"))


async def test_a_transport_that_is_left_closes_when_its_last_call_has_ended():
    transport, wire = await connected()
    _, answer = transport.call("/a.B/C", b"", asyncio.get_running_loop().time() + 10)
    transport.leave()
    await asyncio.sleep(0)
    assert not transport.is_usable
    assert not wire.is_closed
    transport.data_received(answered(1, b"done"))
    await asyncio.sleep(0)
    assert answer.result() == b"done"
    assert wire.is_closed


async def test_a_socket_that_closes_ends_calls_and_conversations():
    transport, _ = await connected()
    _, answer = transport.call("/a.B/C", b"", asyncio.get_running_loop().time() + 10)
    conversation = transport.converse("/a.B/C", ())
    transport.connection_lost(None)
    for waiting in (answer, conversation.messages()):
        with pytest.raises(CallFailed, match="UNAVAILABLE: the server has closed the connection"):
            await waiting
    assert transport.gone.done()


async def test_a_server_that_hangs_up_before_it_has_spoken_lets_nobody_in():
    transport, wire = Transport("http", "etcd:2379"), Wire()
    transport.connection_made(cast(asyncio.BaseTransport, wire))
    transport.connection_lost(ConnectionResetError("go away"))
    with pytest.raises(OSError, match="go away"):
        await transport.ready
