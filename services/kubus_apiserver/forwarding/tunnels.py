"""Upgrades: a connection that ceases to speak HTTP is carried through, byte by byte, both ways.

The head of the request is written and the answer's is read by hand, for what comes after `101 Switching Protocols` may
be anything: WebSocket, SPDY, a protocol of the pod's own. Any other answer is passed on and ends both connections:
after it the other side might take the client's next bytes for a request that nobody has authorized.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, NamedTuple

from kubus_apiserver.forwarding.forwards import Header

_HEAD_BYTES_MAX = 64 * 1024
_READ_BYTES = 64 * 1024
_ANSWER_SECONDS = 60.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n")


class Head(NamedTuple):
    """The head of an answer."""

    code: int
    raw: bytes
    length: int | None
    """Of the body, if it says so."""


class BadHead(OSError):
    """What came is no answer in HTTP/1."""


def request_head(method: str, path: str, host: str, headers: list[Header]) -> bytes:
    """A request's head."""
    lines = [f"{method} {path} HTTP/1.1"]
    if not any(name.lower() == "host" for name, _ in headers):
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", errors="replace")


async def read_head(reader: asyncio.StreamReader) -> Head:
    """The head of an answer.

    Raises:
        BadHead
    """
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        raise BadHead("the server closed the connection before it answered") from None
    status = _STATUS.match(raw)
    if status is None or len(raw) > _HEAD_BYTES_MAX:
        raise BadHead("malformed HTTP response")
    length = re.search(rb"\r\ncontent-length:\s*(\d{1,18})\s*\r\n", raw, re.IGNORECASE)
    return Head(int(status[1]), raw, int(length[1]) if length else None)


async def pass_on(head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give a client an answer that is no upgrade, and the end of the connection."""
    clean = re.sub(rb"\r\n(connection|keep-alive):[^\r\n]*(?=\r\n)", b"", head.raw, flags=re.IGNORECASE)
    writer.write(clean[:-2] + b"Connection: close\r\n\r\n")
    left = head.length
    tail = b""
    async with asyncio.timeout(_ANSWER_SECONDS):
        while left is None or left > 0:
            data = await reader.read(_READ_BYTES if left is None else min(left, _READ_BYTES))
            if not data:
                break
            writer.write(data)
            await writer.drain()
            if left is not None:
                left -= len(data)
            elif (tail := (tail + data)[-7:]).endswith(b"\r\n0\r\n\r\n"):
                break


async def join(
    one: tuple[asyncio.StreamReader, asyncio.StreamWriter], other: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
    """Carry bytes both ways until one side has ended."""
    try:
        async with asyncio.TaskGroup() as tasks:
            there = tasks.create_task(_copy(one[0], other[1]))
            back = tasks.create_task(_copy(other[0], one[1]))
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            there.cancel()
            back.cancel()
    except* OSError:
        pass  # a side that has gone ends both


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_READ_BYTES):
        writer.write(data)
        await writer.drain()


class Takeover(asyncio.StreamReaderProtocol):
    """Takes a connection out of the hands of the protocol that served it, and gives it back."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.reader = asyncio.StreamReader()
        super().__init__(self.reader)
        self._taken = transport
        self._before: Any = transport.get_protocol()
        self._lost: tuple[Exception | None] | None = None
        transport.set_protocol(self)
        self.connection_made(transport)
        if not transport.is_reading():
            transport.resume_reading()
        self.writer = asyncio.StreamWriter(transport, self, self.reader, asyncio.get_running_loop())

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._lost = (exc,)
        super().connection_lost(exc)

    def give_back(self) -> None:
        """Let the first protocol see to the end."""
        if self._lost is not None:
            self._before.connection_lost(self._lost[0])
        else:
            self._taken.set_protocol(self._before)
