"""Streams of a SPDY connection: many in one, each opened by the client, each with two directions that end.

Below is anything that takes and gives bytes: a connection, or the messages of a WebSocket (KEP-4006). What a stream is
sent before anybody reads waits in its queue; a full queue stops the whole connection, and so the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from kubus_apiserver.forwarding import spdy

_QUEUE = 64
_STREAMS_MAX = 1000
_WRITE_BYTES = 32 * 1024
Receive = Callable[[], Awaitable[bytes]]
"""The next bytes; b"" at the end."""
Send = Callable[[bytes], Awaitable[None]]


class Stream:
    """One stream of a connection."""

    def __init__(self, number: int, headers: dict[str, str], connection: Connection) -> None:
        self.number = number
        self.headers = headers
        self._connection = connection
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE)
        self._closed = False
        self._ended = False

    async def read(self) -> bytes:
        """The next bytes; b"" when the client has ended its direction."""
        if self._ended:
            return b""
        data = await self._arrived.get()
        self._ended = not data
        return data

    async def write(self, data: bytes) -> None:
        """Send bytes."""
        for start in range(0, len(data), _WRITE_BYTES):
            await self._connection.send_data(self.number, data[start : start + _WRITE_BYTES])

    async def close(self) -> None:
        """End this direction."""
        if not self._closed:
            self._closed = True
            await self._connection.send_data(self.number, b"", fin=True)

    async def arrive(self, data: bytes) -> None:
        """Bytes have come; b"": the end has."""
        await self._arrived.put(data)


class Connection:
    """The server's side."""

    def __init__(self, receive: Receive, send: Send, opened: Callable[[Stream], bool]) -> None:
        self._receive = receive
        self._send = send
        self._opened = opened
        self._reader, self._writer = spdy.Reader(), spdy.Writer()
        self._streams: dict[int, Stream] = {}

    async def run(self) -> None:
        """Serve until the client goes.

        Raises:
            SpdyError: it speaks something else.
        """
        while data := await self._receive():
            for frame in self._reader.feed(data):
                await self._take(frame)
        for stream in self._streams.values():
            await stream.arrive(b"")

    async def send_data(self, stream: int, data: bytes, *, fin: bool = False) -> None:
        """Send on a stream."""
        await self._send(self._writer.data(stream, data, fin=fin))

    async def _take(self, frame: spdy.Frame) -> None:
        if isinstance(frame, spdy.Data):
            await self._data(frame)
        elif isinstance(frame, spdy.Opened):
            await self._open(frame)
        elif isinstance(frame, spdy.Reset):
            if (stream := self._streams.pop(frame.stream, None)) is not None:
                await stream.arrive(b"")
        elif isinstance(frame, spdy.Pinged):
            await self._send(self._writer.ping(frame.number))

    async def _data(self, frame: spdy.Data) -> None:
        stream = self._streams.get(frame.stream)
        if stream is None:
            return  # of a stream that was refused
        if frame.data:
            await stream.arrive(frame.data)
        if frame.fin:
            del self._streams[frame.stream]
            await stream.arrive(b"")

    async def _open(self, frame: spdy.Opened) -> None:
        stream = Stream(frame.stream, frame.headers, self)
        fresh = frame.stream not in self._streams and len(self._streams) < _STREAMS_MAX
        if not fresh or not self._opened(stream):
            await self._send(self._writer.reset(frame.stream, spdy.REFUSED_STREAM))
            return
        if not frame.fin:
            self._streams[frame.stream] = stream
        await self._send(self._writer.reply(frame.stream))
        if frame.fin:
            await stream.arrive(b"")
