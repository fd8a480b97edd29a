"""A gRPC server for tests that misbehaves on request: it answers late, resets, goes away, says what it is told.

    async with rpc_server() as server:
        call = await server.next_call()
        call.answer(b"...")

It knows as much of HTTP/2 as that takes. That our client and HTTP/2 agree is shown by others: by etcd, and by h2.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kubus.store.wire import frames
from kubus.store.wire.frames import FrameReader
from kubus.store.wire.headers import read_block
from kubus.store.wire.messages import Assembler, prefixed

_NEW_NAME = b"\x00"


def block(**fields: str) -> bytes:
    """Response headers; `_` stands for `-`, and `status` for `:status`."""
    named = {":status" if name == "status" else name.replace("_", "-"): value for name, value in fields.items()}
    texts = (text.encode() for pair in named.items() for text in pair)
    literals = [bytes([len(text)]) + text for text in texts]
    return b"".join(_NEW_NAME + name + value for name, value in zip(literals[::2], literals[1::2], strict=True))


@dataclass(eq=False)
class Call:
    """A call as the server sees it."""

    served: _Served
    stream: int
    path: str
    messages: list[bytes] = field(default_factory=list)
    is_reset: bool = False
    assembler: Assembler = field(default_factory=Assembler)

    def say(self, *messages: bytes) -> None:
        """Answer with messages that may not be the last."""
        self.headers(block(status="200", content_type="application/grpc"))
        for message in messages:
            self.data(prefixed(message))

    def end(self, status: int = 0, details: str = "") -> None:
        """The end."""
        self.headers(block(grpc_status=str(status), grpc_message=details), frames.END_STREAM)

    def answer(self, message: bytes) -> None:
        """The whole answer of a call."""
        self.say(message)
        self.end()

    def headers(self, data: bytes, flags: int = 0) -> None:
        """A HEADERS frame."""
        self.served.write(frames.frame(frames.HEADERS, flags | frames.END_HEADERS, self.stream, data))

    def data(self, data: bytes) -> None:
        """DATA frames."""
        size = frames.FRAME_BYTES_MAX
        for at in range(0, len(data), size):
            self.served.write(frames.frame(frames.DATA, 0, self.stream, data[at : at + size]))

    def reset(self, code: int) -> None:
        """A RST_STREAM frame."""
        self.served.write(frames.number(frames.RST_STREAM, self.stream, code))

    def go_away(self, last: int) -> None:
        """A GOAWAY frame: streams after `last` have not been looked at."""
        self.served.write(frames.frame(frames.GOAWAY, 0, 0, last.to_bytes(4, "big") + bytes(4) + b"enough"))

    def hang_up(self) -> None:
        """Close the connection."""
        self.served.close()


class _Served(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: RpcServer) -> None:
        self._server = server
        self._reader = FrameReader()
        self._preface = len(frames.PREFACE)
        self._calls: dict[int, Call] = {}
        self.granted = 0
        """What the client has let us send on streams, beyond their first windows."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._server.connections.append(self)
        if self._server.greets:
            self.write(frames.settings(self._server.settings))

    def data_received(self, data: bytes) -> None:
        skipped = data[: self._preface]
        self._preface -= len(skipped)
        for frame in self._reader.feed(data[len(skipped) :]):
            call = self._calls.get(frame.stream)
            if frame.kind == frames.HEADERS:
                call = self._calls[frame.stream] = Call(self, frame.stream, read_block(frame.payload)[":path"])
                self._server.calls.put_nowait(call)
            elif frame.kind == frames.DATA and call is not None:
                call.messages += call.assembler.feed(frame.payload)
            elif frame.kind == frames.RST_STREAM and call is not None:
                call.is_reset = True
            elif frame.kind == frames.WINDOW_UPDATE and frame.stream:
                self.granted += frames.read_number(frame.payload)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.remove(self)

    def write(self, data: bytes) -> None:
        self._transport.write(data)  # type: ignore[attr-defined]  # it was made for TCP

    def close(self) -> None:
        self._transport.close()


class RpcServer:
    """A server on loopback."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[Call] = asyncio.Queue()
        self.connections: list[_Served] = []
        self.settings: dict[int, int] = {}
        self.greets = True
        """False: it accepts connections and says nothing."""
        self.endpoint = ""

    async def next_call(self) -> Call:
        """The next call that comes in; its message may still be under way."""
        return await self.calls.get()

    def connected(self) -> _Served:
        """A connection."""
        return _Served(self)


@asynccontextmanager
async def rpc_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[RpcServer]:
    """A server that listens."""
    server = RpcServer()
    listening = await asyncio.get_running_loop().create_server(server.connected, "127.0.0.1", 0, ssl=tls)
    host, port = listening.sockets[0].getsockname()
    server.endpoint = f"{host}:{port}"
    try:
        yield server
    finally:
        listening.close()
        for served in list(server.connections):
            served.close()
        await listening.wait_closed()
