"""Connections: what comes in which pieces, who answers it, and how they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_apiserver.calls import ANONYMOUS, User
from kubus_apiserver.doors.answers import Answer, Call
from kubus_apiserver.doors.connections import Connections, Patience
from kubus_apiserver.doors.requests import Fields, Head


def asked(path: str, body: bytes = b"") -> bytes:
    return b"POST /%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (path.encode(), len(body), body)


class Door:
    """Answers with path and body, when it is let; /general is not for this way."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()

    def user(self, transport: asyncio.BaseTransport) -> User:
        return ANONYMOUS

    def call(self, head: Head, fields: Fields, body: bytes, *, user: User, source: str) -> Call | None:
        if head.target == "/general":
            return None
        return Call(head.method, head.target, {}, user, body=body, source=source)

    def admit(self, call: Call) -> Call | Answer:
        return Answer(403, b"no") if call.path == "/forbidden" else call

    async def answered(self, call: Call) -> Answer:
        await self.free.wait()
        if call.path == "/broken":
            raise RuntimeError("a defect")
        return Answer(200, call.path.encode() + b"=" + call.body)

    async def send(self, transport: asyncio.Transport, answer: Answer, *, keep: bool) -> None:
        transport.write(answer.body + (b";" if keep else b"!"))


class General(asyncio.Protocol):
    """Gets what is made over."""

    def __init__(self) -> None:
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data


class Wire(asyncio.Transport):
    """What is sent, and how it ended."""

    def __init__(self) -> None:
        super().__init__({"peername": ("10.0.0.1", 1)})
        self.sent = b""
        self.closed = ""
        self.reading = True
        self.protocol: Any = None

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = self.closed or "closed"

    def abort(self) -> None:
        self.closed = self.closed or "aborted"

    def is_closing(self) -> bool:
        return bool(self.closed)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


class Case:
    """One connection."""

    def __init__(self, idle_seconds: float = 300.0) -> None:
        self.door = Door()
        patience = Patience(head_seconds=idle_seconds, body_seconds=idle_seconds, idle_seconds=idle_seconds)
        self.all = Connections(self.door, General, patience=patience)
        self.wire = Wire()
        self.wire.protocol = self.all()
        self.wire.protocol.connection_made(self.wire)

    async def receives(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.wire.protocol.data_received(piece)
        for _ in range(20):
            await asyncio.sleep(0)


async def test_requests_are_answered_one_after_the_other():
    case = Case()
    await case.receives(asked("a", b"1") + asked("b") + asked("c", b"3"))
    assert case.wire.sent == b"/a=1;/b=;/c=3;"


@given(st.lists(st.integers(1, 40), max_size=12))
def test_it_does_not_matter_in_which_pieces_bodies_come(sizes: list[int]):
    async def story() -> None:
        case = Case()
        head, body = asked("a", b"x" * 100)[:-100], b"x" * 100
        pieces = [head]
        for size in sizes:
            pieces.append(body[:size])
            body = body[size:]
        await case.receives(*pieces, body + asked("b", b"2"))
        assert case.wire.sent == b"/a=" + b"x" * 100 + b";/b=2;"

    asyncio.run(story())


@pytest.mark.parametrize("other", [asked("general", b"body"), b"NONSENSE", asked("half")[:-3]])
async def test_what_is_not_plain_is_made_over_with_all_that_follows(other: bytes):
    case = Case()
    case.door.free.clear()
    await case.receives(asked("a", b"1"), other, b"more")
    assert isinstance(case.wire.protocol, asyncio.Protocol) and not isinstance(case.wire.protocol, General)
    case.door.free.set()
    await case.receives()
    assert case.wire.sent == b"/a=1;"
    assert case.wire.protocol.received == other + b"more"
    assert not case.all.open


async def test_who_asks_far_ahead_waits():
    case = Case()
    case.door.free.clear()
    await case.receives(*[asked("a", b"x" * 1000)] * 100)
    assert not case.wire.reading
    case.door.free.set()
    await case.receives(b"")
    while case.wire.sent.count(b";") < 100:
        await asyncio.sleep(0)
    assert case.wire.reading


async def test_what_is_under_way_is_answered_before_the_end():
    idle, busy = Case(), Case()
    busy.door.free.clear()
    await busy.receives(asked("a"))
    idle.all.close_idle()
    busy.all.close_idle()
    assert (idle.wire.closed, busy.wire.closed) == ("closed", "")
    busy.door.free.set()
    await busy.all.aclose(1.0)
    await busy.receives()
    assert (busy.wire.sent, busy.wire.closed) == (b"/a=!", "closed")


async def test_what_takes_too_long_is_ended_with_the_server():
    case = Case()
    case.door.free.clear()
    await case.receives(asked("a"))
    await case.all.aclose(0.01)
    assert (case.wire.sent, case.wire.closed) == (b"", "aborted")


async def test_a_defect_ends_the_connection_and_no_other():
    case, other = Case(), Case()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    await case.receives(asked("broken"))
    await other.receives(asked("a"))
    assert (case.wire.closed, other.wire.sent) == ("aborted", b"/a=;")


async def test_a_client_that_has_gone_leaves_nothing_behind():
    case = Case()
    case.door.free.clear()
    await case.receives(asked("a"))
    case.wire.close()
    case.wire.protocol.connection_lost(None)
    case.door.free.set()
    await case.receives()
    assert (case.wire.sent, case.all.open) == (b"", set())


async def test_a_connection_on_which_nothing_is_asked_is_closed():
    case = Case(idle_seconds=0.05)
    case.door.free.clear()
    await case.receives(asked("a"))
    await asyncio.sleep(0.12)
    assert not case.wire.closed
    case.door.free.set()
    async with asyncio.timeout(5):
        while not case.wire.closed:
            await asyncio.sleep(0.01)
    assert case.wire.sent == b"/a=;"
