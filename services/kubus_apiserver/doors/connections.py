"""The connections of clients, and who reads what comes on them.

Plain requests (`kubus_apiserver.doors.requests`) for answers that end are read and answered here, one after the other,
each in one task: that is what nearly every request is, and a general server's machinery would cost more than all the
rest of a get. The first that is anything else makes its connection over to that general server, with everything on it
that is not yet answered, and there it stays. No byte is ever given to both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Protocol, cast

from kubus_apiserver.calls import User
from kubus_apiserver.doors.requests import Fields, Head, read_fields, read_head

if TYPE_CHECKING:
    from kubus_apiserver.doors.answers import Answer, Call

_IDLE_SECONDS = 300.0
"""How long a connection stays on which nothing is asked."""
_AHEAD_BYTES = 64 * 1024
"""What a client may send while its last request is not answered; the rest waits with it."""


class Asked(Protocol):
    """What a connection needs of its door."""

    def user(self, transport: asyncio.BaseTransport) -> User:
        """Whom the client's certificate names."""

    def call(self, head: Head, fields: Fields, body: bytes, *, user: User, source: str) -> Call | None:
        """A request with as much of its body as has come; None if it is not for this way."""

    async def answered(self, call: Call) -> Answer:
        """The answer."""

    async def send(self, transport: asyncio.Transport, answer: Answer, *, keep: bool) -> None:
        """Put an answer on the wire."""


class Connections:
    """All that are open, and not made over."""

    def __init__(
        self, door: Asked, general: Callable[[], asyncio.Protocol], *, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        self.door = door
        self.general = general
        self.idle_seconds = idle_seconds
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
        self._since = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        peer = transport.get_extra_info("peername")
        self._source = str(peer[0]) if isinstance(peer, tuple) else ""
        self._user = self._door.user(transport)
        self._all.open.add(self)
        self._timer = self._loop.call_later(self._all.idle_seconds, self._idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._leave()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        received = self._received
        if self._busy or received:
            received += data
            if self._busy and len(received) > _AHEAD_BYTES:
                self._transport.pause_reading()
            if self._busy or len(received) < self._wanted:
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
        elif len(data) >= self._wanted:
            call = call._replace(body=data[self._begins : self._wanted])
        if len(data) < self._wanted:
            self._call = call
            self._received += data
            return
        if len(data) > self._wanted:
            self._received += data[self._wanted :]
        self._call, self._wanted, self._busy = None, 0, True
        self._all.start(self._answer(call))

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
        self._busy = False
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

    def _idle(self) -> None:
        left = self._all.idle_seconds
        if not self._busy:
            left -= self._loop.time() - self._since
        if left > 0:
            self._timer = self._loop.call_later(left, self._idle)
        else:
            self._transport.close()
