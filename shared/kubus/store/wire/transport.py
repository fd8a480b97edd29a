"""A connection's machine on a socket.

Many callers send within one turn of the loop, and one read brings the answers to many: everything that a turn wants
sent goes out in one write at its end, and every answer is handed to its caller as soon as the bytes are read.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from kubus.store.wire import headers
from kubus.store.wire.connection import Connection, Ended, Event, Received
from kubus.store.wire.sending import Stream
from kubus.store.wire.statuses import CallFailed, Status

_TICK_SECONDS = 0.25


class _Caller(Protocol):
    """Who waits at the other end of a stream."""

    def received(self, message: bytes) -> None: ...

    def ended(self, end: Ended) -> None: ...


class _Question:
    """One request that waits for one answer."""

    __slots__ = ("answer", "future")

    def __init__(self, future: asyncio.Future[bytes]) -> None:
        self.future = future
        self.answer: bytes | None = None

    def received(self, message: bytes) -> None:
        self.answer = message

    def ended(self, end: Ended) -> None:
        if self.future.done():
            return
        if end.status is not Status.OK:
            self.future.set_exception(_failure(end))
        elif self.answer is None:
            self.future.set_exception(CallFailed(Status.INTERNAL, "no answer"))
        else:
            self.future.set_result(self.answer)


class Conversation:
    """A stream of messages both ways."""

    def __init__(self, transport: Transport, stream: Stream) -> None:
        self._transport = transport
        self._stream = stream
        self._messages: list[bytes] = []
        self._failure: CallFailed | None = None
        self._waiter: asyncio.Future[None] | None = None

    def send(self, message: bytes) -> None:
        """Send a message; to a conversation that has ended, nothing."""
        if self._failure is None:
            self._transport.send(self._stream, message)

    async def messages(self) -> list[bytes]:
        """All messages that have come since the last call, one at least.

        Raises:
            CallFailed: the server has ended the conversation (with OK too), or the connection is gone.
        """
        if not self._messages and self._failure is None:
            self._waiter = self._transport.future()
            await self._waiter
        if not self._messages and self._failure is not None:
            raise self._failure
        found, self._messages = self._messages, []
        self._transport.taken(self._stream)
        return found

    def close(self) -> None:
        """End it from our side."""
        if self._failure is None:
            self._failure = CallFailed(Status.CANCELLED, "closed")
            self._transport.cancel(self._stream)

    def received(self, message: bytes) -> None:
        """The transport brings a message."""
        self._messages.append(message)
        self._wake()

    def ended(self, end: Ended) -> None:
        """The transport brings the end."""
        self._failure = _failure(end)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Transport(asyncio.Protocol):
    """One connection. `ready` is done when the server has let us in, and fails with an OSError if it does not."""

    def __init__(self, scheme: str, authority: str) -> None:
        self._scheme = scheme
        self._authority = authority
        self._loop = asyncio.get_running_loop()
        self._connection = Connection()
        self._callers: dict[Stream, _Caller] = {}
        self._socket: asyncio.Transport | None = None
        self._flushing = False
        self._ticking: asyncio.TimerHandle | None = None
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()

    @property
    def is_usable(self) -> bool:
        """Whether it takes calls."""
        return not self._connection.is_closing

    def call(self, path: str, message: bytes, deadline: float) -> tuple[Stream, asyncio.Future[bytes]]:
        """Ask; the future is the answer, or a `CallFailed`. `deadline` is a time of the loop."""
        future = self._loop.create_future()
        stream = self._open(path, (), deadline)
        self._connection.send(stream, message, last=True)
        self._callers[stream] = _Question(future)
        return stream, future

    def converse(self, path: str, metadata: tuple[tuple[str, str], ...]) -> Conversation:
        """Begin a conversation."""
        stream = self._open(path, metadata, None)
        conversation = self._callers[stream] = Conversation(self, stream)
        return conversation

    def future(self) -> asyncio.Future[None]:
        """A future of the loop."""
        return self._loop.create_future()

    def send(self, stream: Stream, message: bytes) -> None:
        """Send one of several messages."""
        self._connection.send(stream, message, last=False)
        self._soon()

    def taken(self, stream: Stream) -> None:
        """A reader has taken what came."""
        self._connection.taken(stream)
        self._soon()

    def cancel(self, stream: Stream) -> None:
        """Nobody waits for it any more."""
        if self._callers.pop(stream, None) is not None:
            self._connection.cancel(stream)
            self._soon()

    def leave(self) -> None:
        """Take no more calls, and close when those under way have ended."""
        self._connection.is_closing = True
        self._soon()

    def abort(self) -> None:
        """Close now; calls under way fail. `gone` is done soon after, if there was a connection."""
        self._lost("closed")
        if self._socket is not None:
            self._socket.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open, and TLS agreed upon."""
        self._socket = cast(asyncio.Transport, transport)  # it was made for TCP; uvloop's is no subclass
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            self._lost("the server does not speak HTTP/2 over TLS")
            self._socket.abort()
        else:
            self._flush()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._tell(self._connection.receive(data, self._loop.time()))
        if self._connection.is_ready and not self.ready.done():
            self.ready.set_result(None)
        self._soon()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._socket = None
        self._lost(str(exc) if exc is not None else "the server has closed the connection")
        self.gone.set_result(None)

    def _open(self, path: str, metadata: tuple[tuple[str, str], ...], deadline: float | None) -> Stream:
        if self._ticking is None:
            self._ticking = self._loop.call_later(_TICK_SECONDS, self._tick)
        stream = self._connection.open(headers.request_block(self._scheme, self._authority, path, metadata), deadline)
        self._soon()
        return stream

    def _soon(self) -> None:
        """Write at the end of this turn of the loop."""
        if not self._flushing and self._connection.is_eager:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._socket is None:
            return
        if data := self._connection.outgoing():
            self._socket.write(data)
        ends = self._connection.why_lost or (self._connection.is_closing and self._connection.is_idle)
        if ends and not self._socket.is_closing():  # after a second close, Python 3.11.2's TLS transport cannot abort
            self._socket.close()

    def _tick(self) -> None:
        self._tell(self._connection.tick(self._loop.time()))
        self._soon()
        idle = self._connection.is_idle
        self._ticking = None if idle else self._loop.call_later(_TICK_SECONDS, self._tick)

    def _lost(self, why: str) -> None:
        self._tell(self._connection.lose(why))
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(self._connection.why_lost))
            self.ready.exception()  # looked at: whoever connects may have given up

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Received):
                self._callers[event.stream].received(event.message)
            else:
                self._callers.pop(event.stream).ended(event)


def _failure(end: Ended) -> CallFailed:
    return CallFailed(end.status, end.details, unseen=end.unseen)
