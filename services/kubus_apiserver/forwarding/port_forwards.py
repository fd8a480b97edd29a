"""portforward: connections of a client to ports of a pod, by the two protocols that clients speak.

kubectl opens, for each connection that it accepts, two SPDY streams with the same request id, one for data and one for
what goes wrong. Python's client has two channels for each port that it names beforehand, and is told on each, first,
which port it is. Either way each connection is a session that dials from within the pod.

https://kubernetes.io/docs/reference/using-api/websocket-streaming/, KEP-4006
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from kubus.bus.sessions import CLOSE, STDIN, STDOUT, Session, SessionLost
from kubus.model.errors import StatusError, bad_request
from kubus_apiserver.forwarding.spdy_streams import Connection, Receive, Send, Stream

SPDY = "SPDY/3.1"
STREAM_PROTOCOL = "portforward.k8s.io"
TUNNELLED = f"{SPDY}+{STREAM_PROTOCOL}"
CHANNELS = "v4.channel.k8s.io"
_PORTS_MAX = 100
_PORT = struct.Struct("<H")
Dial = Callable[[int], Awaitable[Session]]
"""A session to a port of the pod; StatusError."""


class Ends(Protocol):
    """The client's end of a connection."""

    async def read(self) -> bytes:
        """Of the client; b"" at the end."""

    async def write(self, data: bytes) -> None:
        """To the client."""

    async def close(self) -> None:
        """Nothing more comes."""


async def forward(dial: Dial, port: int, data: Ends, error: Ends, pod: str) -> None:
    """One connection, from its beginning to its end."""
    try:
        session = await dial(port)
    except StatusError as refused:
        await error.write(f"error forwarding port {port} to pod {pod}: {refused.message}".encode())
    else:
        try:
            await _joined(session, data)
        except* SessionLost as lost:
            await error.write(f"error forwarding port {port} to pod {pod}: {lost.exceptions[0]}".encode())
        finally:
            await session.aclose()
    await data.close()
    await error.close()


async def _joined(session: Session, data: Ends) -> None:
    async with asyncio.TaskGroup() as tasks:
        upward = tasks.create_task(_upward(session, data))
        while (frame := await session.receive()) is not None:
            channel, content = frame
            if channel == STDOUT:
                await data.write(content)
            elif channel == CLOSE:
                break
        upward.cancel()


async def _upward(session: Session, data: Ends) -> None:
    with suppress(SessionLost):  # who receives hears of it too
        while content := await data.read():
            await session.send(STDIN, content)
        await session.close_channel(STDIN)


async def over_spdy(receive: Receive, send: Send, dial: Dial, pod: str) -> None:
    """Serve a client that speaks SPDY.

    Raises:
        SpdyError: it does not.
    """
    halves: dict[str, dict[str, Stream]] = {}
    forwards: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as tasks:

        def opened(stream: Stream) -> bool:
            kind, port = stream.headers.get("streamtype", ""), stream.headers.get("port", "")
            if kind not in ("data", "error") or not _is_port(port):
                return False
            request = stream.headers.get("requestid") or str(stream.number - stream.number % 4)
            pair = halves.setdefault(request, {})
            if kind in pair:
                return False
            pair[kind] = stream
            if len(pair) == 2:
                del halves[request]
                forwards.append(tasks.create_task(forward(dial, int(port), pair["data"], pair["error"], pod)))
            return True

        try:
            await Connection(receive, send, opened).run()
        finally:
            for each in forwards:
                each.cancel()


async def over_channels(receive: Receive, send: Send, ports: list[int], dial: Dial, pod: str) -> None:
    """Serve a client that has named its ports, until all connections to them have ended.

    `receive` gives a message, whose first byte is the channel.
    """
    channels = [_Channel(number, send) for number in range(2 * len(ports))]
    for number, channel in enumerate(channels):
        await channel.write(_PORT.pack(ports[number // 2]))
    async with asyncio.TaskGroup() as tasks:
        forwards = [
            tasks.create_task(forward(dial, port, channels[2 * number], channels[2 * number + 1], pod))
            for number, port in enumerate(ports)
        ]
        listening = tasks.create_task(_listen(receive, channels))
        over = tasks.create_task(_all(forwards))
        await asyncio.wait((listening, over), return_when=asyncio.FIRST_COMPLETED)
        for each in (listening, over, *forwards):
            each.cancel()


async def _listen(receive: Receive, channels: list[_Channel]) -> None:
    while message := await receive():
        if message[0] < len(channels) and message[1:]:
            await channels[message[0]].arrived.put(message[1:])


async def _all(forwards: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(forwards)


class _Channel:
    """One channel of a WebSocket. A channel cannot be closed alone in this protocol."""

    def __init__(self, number: int, send: Send) -> None:
        self._number = number
        self._send = send
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue(64)

    async def read(self) -> bytes:
        """What the client says."""
        return await self.arrived.get()

    async def write(self, data: bytes) -> None:
        """Say something."""
        await self._send(bytes([self._number]) + data)

    async def close(self) -> None:
        """The protocol has no word for it."""


def ports_of(values: list[str]) -> list[int]:
    """The ports that a query names.

    Raises:
        StatusError: 400.
    """
    texts = [each for value in values for each in value.split(",")]
    if not texts:
        raise bad_request('query parameter "ports" is required')
    for each in texts:
        if not _is_port(each):
            raise bad_request(f'invalid port "{each[:16]}"')
    if len(texts) > _PORTS_MAX:
        raise bad_request(f"at most {_PORTS_MAX} ports")
    return [int(each) for each in texts]


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536
