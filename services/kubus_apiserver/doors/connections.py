"""The connections of clients, and who reads what comes on them.

Plain requests (`kubus_apiserver.doors.requests`) for answers that end are read and answered here, one after the other,
each in one task: that is what nearly every request is, and a general server's machinery would cost more than all the
rest of a get. The first that is anything else makes its connection over to that general server, with everything on it
that is not yet answered, and there it stays. No byte is ever given to both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import NamedTuple, Protocol, cast

from kubus_apiserver.calls import User
from kubus_apiserver.doors.answers import Answer, Call, text
from kubus_apiserver.doors.body_room import BodyRoom
from kubus_apiserver.doors.general import HEAD_SECONDS, LINGER_SECONDS
from kubus_apiserver.doors.requests import Fields, Head, read_fields, read_head

_AHEAD_BYTES = 64 * 1024
"""What a client may send while its last request is not answered; the rest waits with it."""


class Patience(NamedTuple):
    """How long a client may take."""

    head_seconds: float = HEAD_SECONDS
    """For its first request to begin, and for any head to be whole."""
    body_seconds: float = 60.0
    """For a body, and for there to be room for it."""
    idle_seconds: float = 300.0
    """Between two requests."""


PATIENCE = Patience()


class Asked(Protocol):
    """What a connection needs of its door."""

    def user(self, transport: asyncio.BaseTransport) -> User:
        """Whom the client's certificate names."""

    def call(self, head: Head, fields: Fields, body: bytes, *, user: User, source: str) -> Call | None:
        """A request with as much of its body as has come; None if it is not for this way."""

    def admit(self, call: Call) -> Call | Answer:
        """The call with its user, if its sender may ask for it; else the refusal."""

    async def answered(self, call: Call) -> Answer:
        """The answer."""

    async def send(self, transport: asyncio.Transport, answer: Answer, *, keep: bool) -> None:
        """Put an answer on the wire."""


class Connections:
    """All that are open, and not made over."""

    def __init__(
        self,
        door: Asked,
        general: Callable[[], asyncio.Protocol],
        *,
        room: BodyRoom | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self.door = door
        self.general = general
        self.room = BodyRoom() if room is None else room
        self.patience = patience
        self.open: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self) -> Connection:
        """A connection that is about to be made."""
        return Connection(self)

    def start(self, answering: Coroutine[None, None, None]) -> None:
        """Answer a request; to the end, even when nobody waits for it any more."""
        task = asyncio.get_running_loop().create_task(answering)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close_idle(self) -> None:
        """Take no more requests."""
        for each in list(self.open):
            each.end()

    async def aclose(self, seconds: float) -> None:
        """Give what is under way some time, then end it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in list(self._tasks):
            task.cancel()
        for each in list(self.open):
            each.abort()


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, all_: Connections) -> None:
        self._all = all_
        self._door = all_.door
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._wanted = 0
        """How many bytes the request has that is coming; 0 before its head is known."""
        self._begins = 0
        """Where its body does."""
        self._call: Call | None = None
        self._busy = False
        self._ending = False
        self._block = b""
        self._fields: Fields | None = None
        self._reserved = 0
        """Bytes of room that the body has which is coming."""
        self._turn: asyncio.Future[None] | None = None
        """Done when there is room for it."""
        self._is_deaf = False
        """Whether what comes is dropped: the last answer has been given."""
        self._is_new = True
        self._since = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        peer = transport.get_extra_info("peername")
        self._source = str(peer[0]) if isinstance(peer, tuple) else ""
        self._user = self._door.user(transport)
        self._all.open.add(self)
        self._timer = self._loop.call_later(self._all.patience.head_seconds, self._expire)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._leave()
        if not self._busy:
            self._give_room_back()
            self._received.clear()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._is_deaf:
            return
        received = self._received
        if self._busy or received:
            received += data
            if self._busy and len(received) > _AHEAD_BYTES:
                self._transport.pause_reading()
            if self._busy or self._turn is not None or len(received) < self._wanted:
                return
            data = bytes(received)
            received.clear()
        self._take(data)

    def end(self) -> None:
        """Take no more requests."""
        self._ending = True
        if not self._busy:
            self._transport.close()

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()

    def _take(self, data: bytes) -> None:
        """Begin with the request that stands first in these bytes, once it is whole."""
        call = self._call
        if call is None:
            head = read_head(data)
            fields = None if head is None else self._read(head.block)
            if head is not None and fields is not None:
                self._begins, self._wanted = head.size, head.size + fields.length
                body = data[head.size : self._wanted]
                call = self._door.call(head, fields, body, user=self._user, source=self._source)
            if call is None:
                self._make_over(data)
                return
            if len(data) < self._wanted:
                self._await_body(call, data)
                return
        else:
            call = call._replace(body=data[self._begins : self._wanted])
        if len(data) > self._wanted:
            self._received += data[self._wanted :]
        self._call, self._wanted, self._busy = None, 0, True
        self._all.start(self._answer(call))

    def _await_body(self, call: Call, data: bytes) -> None:
        """Read on, if the sender may send it and as soon as there is room; else answer at once."""
        admitted = self._door.admit(call._replace(body=b""))
        if isinstance(admitted, Answer):
            self._end_with(admitted)
            return
        self._call = admitted
        self._received += data
        self._wait(self._all.patience.body_seconds)
        turn = self._all.room.take(self._wanted - self._begins)
        if turn is None:
            self._reserved = self._wanted - self._begins
            return
        self._turn = turn
        self._transport.pause_reading()
        turn.add_done_callback(self._go_in)

    def _go_in(self, turn: asyncio.Future[None]) -> None:
        """There is room, or nobody wants it any more."""
        if turn.cancelled():
            self._all.room.wake()
            return
        if self._turn is not turn:
            self._all.room.give_back(self._wanted - self._begins)
            return
        self._turn, self._reserved = None, self._wanted - self._begins
        self._transport.resume_reading()

    def _give_room_back(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if self._reserved:
            reserved, self._reserved = self._reserved, 0
            self._all.room.give_back(reserved)

    def _end_with(self, answer: Answer) -> None:
        """Give a last answer, and drop what still comes for a moment, or the client may not get to read it."""
        self._is_deaf = self._busy = self._ending = True
        self._call = None
        self._received.clear()
        self._give_room_back()
        self._transport.resume_reading()
        self._wait(LINGER_SECONDS)
        self._all.start(self._door.send(self._transport, answer, keep=False))

    def _read(self, block: bytes) -> Fields | None:
        if block != self._block:
            self._block, self._fields = block, read_fields(block)
        return self._fields

    async def _answer(self, call: Call) -> None:
        try:
            answer = await self._door.answered(call)
            if not self._transport.is_closing():
                await self._door.send(self._transport, answer, keep=not self._ending)
        except BaseException:
            self._transport.abort()
            raise
        finally:
            self._give_room_back()
        self._busy = self._is_new = False
        self._since = self._loop.time()
        if self._ending:
            self._transport.close()
        elif self._received:
            self._go_on()

    def _go_on(self) -> None:
        """Take what has come meanwhile."""
        data = bytes(self._received)
        self._received.clear()
        if not self._transport.is_reading():
            self._transport.resume_reading()
        self._take(data)

    def _make_over(self, data: bytes) -> None:
        """Leave the connection to the general server from these bytes on."""
        self._leave()
        general = self._all.general()
        self._transport.set_protocol(general)
        general.connection_made(self._transport)
        general.data_received(data)

    def _leave(self) -> None:
        self._all.open.discard(self)
        self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        """Wait no longer than this for what has to come."""
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        """Time is up, if this is not the timer of something earlier."""
        patience = self._all.patience
        if self._is_deaf:
            self._transport.close()
            return
        if self._call is not None:
            self._end_with(late_body())
            return
        left = patience.head_seconds if self._is_new else patience.idle_seconds
        if not self._busy:
            left -= self._loop.time() - self._since
        if left > 0:
            self._timer = self._loop.call_later(left, self._expire)
        else:
            self._transport.close()


def late_body() -> Answer:
    """The answer to a request whose body has not come in time, or for which there was no room all the time."""
    return text(408, "the body of the request did not come in time")
