"""One connection to a NATS server.

The server speaks first, INFO; then comes TLS where there is a certificate to show, CONNECT, and a PING whose PONG says
that we are let in. From then on everything that a turn of the loop wants sent goes out in one write at its end, and
what a read brings is handed out at once: `on_message` hears each message, `on_error` what the server complains about.

A connection lives once. It ends when the server or the network ends it, when the server says something that nothing
can follow, or when two PINGs in a row stay without an answer; `on_lost` hears why.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, cast

from kubus.bus import BusError, Disconnected
from kubus.bus.natsclient.protocol import Delivered, ProtocolError, Reader, Said
from kubus.bus.natsclient.sealing import Seal

PING_SECONDS = 5.0
_SILENT_PINGS_MAX = 2
"""With as many PINGs outstanding the connection is dead: it is noticed within 15 s."""
_VIOLATION = b"permissions violation"


class Handlers(NamedTuple):
    """Who hears what of a connection."""

    on_message: Callable[[Delivered], None]
    on_error: Callable[[str], None]
    on_lost: Callable[[str], None]


class Connection(asyncio.Protocol):
    """A connection under a name, with TLS if there is a context. `ready` is done when the server has let us in."""

    def __init__(self, name: str, tls: ssl.SSLContext | None, host: str, handlers: Handlers) -> None:
        self._name = name
        self._handlers = handlers
        self._loop = asyncio.get_running_loop()
        self._seal = Seal(tls, host) if tls is not None else None
        self._reader = Reader()
        self._socket: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._flushing = False
        self._pongs: deque[asyncio.Future[None] | None] = deque()
        """Who waits for the server's answers to our PINGs, in order."""
        self._silent = 0
        self._over = False
        self._writable: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_word = ""
        self._greeted = False
        self.max_payload = 0
        self.is_open = False
        """Whether the server has let us in, and the connection stands."""
        self.ready: asyncio.Future[None] = self._loop.create_future()
        """Fails with a `Disconnected` if the server does not."""

    def send(self, command: bytes) -> None:
        """Send at the end of this turn of the loop.

        Raises:
            Disconnected
        """
        if not self.is_open:
            raise Disconnected("no connection to the bus")
        self._outgoing.append(command)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def check_size(self, data: bytes) -> None:
        """Whether the server would take a message.

        Raises:
            BusError: it would end the connection instead.
        """
        if self.max_payload and len(data) > self.max_payload:
            raise BusError(f"a message of {len(data)} bytes is too large for the bus")

    async def writable(self) -> None:
        """Wait while the socket holds too much."""
        if self._writable is not None:
            await asyncio.shield(self._writable)

    async def flushed(self) -> None:
        """Wait until the server has everything sent so far.

        Raises:
            Disconnected
        """
        pong: asyncio.Future[None] = self._loop.create_future()
        self.send(b"PING\r\n")
        self._pongs.append(pong)
        await pong

    def close(self, why: str = "closed") -> None:
        """Send what is left and end it."""
        if self._socket is not None:
            self._flush()
            self._socket.close()
        self._lost(why)

    def abort(self, why: str) -> None:
        """End it at once."""
        if self._socket is not None:
            self._socket.abort()
        self._lost(why)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open; the server speaks first."""
        self._socket = cast(asyncio.Transport, transport)  # it was made for TCP; uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        try:
            if not self._greeted:
                self._greet(data)
            elif self._seal is None:
                self._hear(data)
            else:
                was_agreed = self._seal.agreed
                plain = self._seal.unsealed(data)
                if self._seal.agreed and not was_agreed:
                    self._introduce()
                self._write()
                self._hear(plain)
        except (OSError, ProtocolError) as error:
            self.abort(str(error))

    def pause_writing(self) -> None:
        """The socket holds much that the server has not taken."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """It has room again."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._socket = None
        self._lost(self._last_word or str(exc or "the server has closed the connection"))

    def _greet(self, data: bytes) -> None:
        """The server's first line; before TLS nothing but that may come in the clear."""
        found = self._reader.feed(data)
        if not found:
            return
        self._greeted = True
        self._hear_all(found[:1])
        if self._seal is None:
            self._introduce()
            self._hear_all(found[1:])
        else:
            self._seal.unsealed(b"")  # begins the handshake
            self._write()

    def _introduce(self) -> None:
        options = {
            "name": self._name,
            "lang": "kubus",
            "version": "1",
            "protocol": 1,
            "verbose": False,
            "pedantic": False,
            "headers": True,
            "no_responders": True,
            "tls_required": self._seal is not None,
        }
        self._outgoing.append(b"CONNECT %b\r\nPING\r\n" % json.dumps(options).encode())
        self._pongs.append(self.ready)
        self._flush()

    def _hear(self, data: bytes) -> None:
        if data:
            self._hear_all(self._reader.feed(data))

    def _hear_all(self, found: list[Delivered | Said]) -> None:
        on_message = self._handlers.on_message
        for each in found:
            if isinstance(each, Delivered):
                on_message(each)
            else:
                self._hear_word(each)

    def _hear_word(self, said: Said) -> None:
        match said.word.upper():
            case b"PING":
                self._outgoing.append(b"PONG\r\n")
                self._flush()
            case b"PONG":
                self._answered()
            case b"INFO":
                self._informed(said.rest)
            case b"-ERR":
                self._last_word = said.rest.decode(errors="replace").strip("'")
                if _VIOLATION in said.rest.lower():
                    self._handlers.on_error(self._last_word)
                else:
                    self.abort(self._last_word)
            case b"+OK":
                pass
            case _:
                raise ProtocolError(f"the server says {said.word[:40]!r}")

    def _informed(self, text: bytes) -> None:
        try:
            info = json.loads(text)
        except ValueError:
            raise ProtocolError("the server's INFO is no JSON") from None
        self.max_payload = int(info.get("max_payload", self.max_payload))
        if (
            self._seal is not None
            and not self._seal.agreed
            and not (info.get("tls_required") or info.get("tls_available"))
        ):
            raise ProtocolError("the server does not speak TLS")

    def _answered(self) -> None:
        self._silent = 0
        pong = self._pongs.popleft() if self._pongs else None
        if pong is self.ready:
            self.is_open = True
            self._timer = self._loop.call_later(PING_SECONDS, self._tick)
        if pong is not None and not pong.done():
            pong.set_result(None)

    def _tick(self) -> None:
        """Look whether the server is still there."""
        if self._silent >= _SILENT_PINGS_MAX:
            self.abort("the server does not answer")
            return
        self._silent += 1
        self._pongs.append(None)
        self.send(b"PING\r\n")
        self._timer = self._loop.call_later(PING_SECONDS, self._tick)

    def _lost(self, why: str) -> None:
        """It is over, however it came; told once."""
        if self._over:
            return
        self._over, self.is_open = True, False
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()
        for waiting in (self.ready, *self._pongs):
            if waiting is not None and not waiting.done():
                waiting.set_exception(Disconnected(f"no connection to the bus: {why}"))
                waiting.exception()  # looked at: whoever waited may have given up
        self._pongs.clear()
        self._handlers.on_lost(why)

    def _flush(self) -> None:
        self._flushing = False
        if self._outgoing:
            data = b"".join(self._outgoing)
            self._outgoing.clear()
            if self._socket is None:
                return
            if self._seal is None:
                self._socket.write(data)
            else:
                self._seal.seal(data)
                self._write()

    def _write(self) -> None:
        """Send what is sealed."""
        if self._seal is not None and self._socket is not None and (data := self._seal.leaving()):
            self._socket.write(data)
