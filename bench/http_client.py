"""The cheapest HTTP/1.1 client there is in Python: a protocol, one request at a time, no task and no future a request.

A `Connection` asks its owner for the next request's bytes whenever an answer is complete, and tells it the status. Only
what the apiserver sends is understood: answers with Content-Length.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

Next = Callable[["Connection", int, bytes], bytes | None]
"""Takes the connection, the status and the body of the last answer; gives the next request, or None to rest."""


def tls(spec: dict[str, Any]) -> ssl.SSLContext:
    """TLS as the administrator, from a load process' spec."""
    context = ssl.create_default_context(cafile=spec["ca"])
    context.load_cert_chain(spec["cert"], spec["key"])
    return context


def request(method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
    """A request as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: kubus\r\nUser-Agent: bench\r\nAccept: application/json\r\n"
    if body:
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at most."""

    def __init__(self, answered: Next) -> None:
        self._answered = answered
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._wanted = 0
        self.sent_at = 0.0
        """For the owner's use."""
        self.tag: Any = None
        """For the owner's use."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def send(self, data: bytes) -> None:
        """Send a request."""
        if self._transport is not None:
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        received = self._received
        received += data
        if not self._wanted:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return
            self._wanted = end + 4 + _content_length(received, end)
        if len(received) < self._wanted:
            return
        status, body = int(received[9:12]), bytes(received[received.find(b"\r\n\r\n") + 4 :])
        received.clear()
        self._wanted = 0
        following = self._answered(self, status, body)
        if following is not None:
            self.send(following)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._transport = None


def _content_length(head: bytearray, end: int) -> int:
    at = head.find(b"Content-Length: ", 0, end)
    return int(head[at + 16 : head.index(b"\r\n", at)]) if at >= 0 else 0


async def connect(spec: dict[str, Any], answered: Next) -> Connection:
    """A connection to the apiserver of a spec."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(
        lambda: Connection(answered), "127.0.0.1", spec["port"], ssl=tls(spec), server_hostname="127.0.0.1"
    )
    return protocol
