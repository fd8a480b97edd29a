"""Forwarded ports, by both protocols, to a kubelet on a bus in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.kubus_apiserver.forwarding.spdy_client import Client, control

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.sessions import CLOSE, STDIN, STDOUT, Session, Work, open_session, serve_sessions
from kubus.model import errors
from kubus.model.errors import StatusError
from kubus_apiserver.forwarding.port_forwards import Dial, over_channels, over_spdy, ports_of


async def _upper(session: Session) -> None:
    """A pod that says everything louder, and ends when the client does."""
    while (frame := await session.receive()) is not None:
        channel, data = frame
        if channel == STDIN:
            await session.send(STDOUT, data.upper())
        elif channel == CLOSE:
            await session.close_channel(STDOUT)
            return


@asynccontextmanager
async def dialling() -> AsyncIterator[Dial]:
    """Dials a pod that listens on port 80."""

    async def accept(call: dict[str, Any]) -> Work:
        if call["port"] != 80:
            raise errors.unavailable("connection refused")
        return _upper

    broker = MemoryBroker()
    kubelet = await serve_sessions(MemoryBus(broker), "n1", accept)
    bus = MemoryBus(broker)
    yield lambda port: open_session(bus, "n1", {"verb": "dial", "port": port})
    await kubelet.aclose()


class Wire:
    """What a client sends and is sent."""

    def __init__(self) -> None:
        self._up: asyncio.Queue[bytes] = asyncio.Queue()
        self._down: asyncio.Queue[bytes] = asyncio.Queue()

    def say(self, data: bytes) -> None:
        """The client says something; b"": it goes."""
        self._up.put_nowait(data)

    async def receive(self) -> bytes:
        """The server's way in."""
        return await self._up.get()

    async def send(self, data: bytes) -> None:
        """The server's way out."""
        self._down.put_nowait(data)

    async def heard(self) -> bytes:
        """What the server says next."""
        async with asyncio.timeout(5):
            return await self._down.get()


def pair(client: Client, stream: int, request: str, port: str) -> bytes:
    """Two streams of a connection, as kubectl opens them."""
    headers = {"requestid": request, "port": port}
    error = client.opened(stream, {**headers, "streamtype": "error"})
    return error + client.opened(stream + 2, {**headers, "streamtype": "data"})


async def test_a_connection_is_two_streams() -> None:
    client, wire = Client(), Wire()
    async with dialling() as dial, asyncio.TaskGroup() as tasks:
        tasks.create_task(over_spdy(wire.receive, wire.send, dial, "web"))
        wire.say(pair(client, 1, "0", "80") + client.data(3, b"hello"))
        replies = client.read(await wire.heard() + await wire.heard())
        assert replies == [("reply", 1, b""), ("reply", 3, b"")]
        assert client.read(await wire.heard()) == [("data", 3, b"HELLO")]
        wire.say(client.data(3, b"", fin=True) + control(6, b"\0\0\0\x09"))
        heard = [client.read(await wire.heard())[0] for _ in range(3)]
        assert sorted(heard) == [("control 6", 9, b""), ("end", 1, b""), ("end", 3, b"")]
        wire.say(b"")


async def test_what_goes_wrong_is_said_on_the_error_stream_and_others_go_on() -> None:
    client, wire = Client(), Wire()
    async with dialling() as dial, asyncio.TaskGroup() as tasks:
        tasks.create_task(over_spdy(wire.receive, wire.send, dial, "web, uid u1"))
        wire.say(pair(client, 1, "0", "81"))
        heard = [client.read(await wire.heard())[0] for _ in range(5)]
        words = b"error forwarding port 81 to pod web, uid u1: connection refused"
        assert heard[2:] == [("data", 1, words), ("end", 3, b""), ("end", 1, b"")]
        wire.say(pair(client, 5, "1", "80") + client.data(7, b"on"))
        heard = [client.read(await wire.heard())[0] for _ in range(3)]
        assert heard[-1] == ("data", 7, b"ON")
        wire.say(b"")


@pytest.mark.parametrize(
    "headers",
    [{}, {"streamtype": "data"}, {"streamtype": "data", "port": "0"}, {"streamtype": "stdin", "port": "80"}],
)
async def test_a_stream_that_means_nothing_is_refused(headers: dict[str, str]) -> None:
    client, wire = Client(), Wire()
    async with dialling() as dial, asyncio.TaskGroup() as tasks:
        tasks.create_task(over_spdy(wire.receive, wire.send, dial, "web"))
        wire.say(client.opened(1, headers))
        assert client.read(await wire.heard())[0][:2] == ("control 3", 1)
        wire.say(b"")


async def test_a_client_that_leaves_ends_its_connections() -> None:
    client, wire = Client(), Wire()
    async with dialling() as dial, asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(over_spdy(wire.receive, wire.send, dial, "web"))
        wire.say(pair(client, 1, "0", "80"))
        wire.say(b"")


async def test_ports_that_are_named_before_have_two_channels_each() -> None:
    wire = Wire()
    async with dialling() as dial, asyncio.TaskGroup() as tasks:
        tasks.create_task(over_channels(wire.receive, wire.send, [80, 81], dial, "web"))
        heads = [await wire.heard() for _ in range(4)]
        assert heads == [b"\0P\0", b"\1P\0", b"\2Q\0", b"\3Q\0"]
        assert await wire.heard() == b"\3error forwarding port 81 to pod web: connection refused"
        wire.say(b"\0hello")
        assert await wire.heard() == b"\0HELLO"
        wire.say(b"\x09nobody")
        wire.say(b"")


async def test_it_is_over_when_all_connections_are() -> None:
    wire = Wire()
    async with dialling() as dial, asyncio.timeout(5):
        await over_channels(wire.receive, wire.send, [81], dial, "web")


@pytest.mark.parametrize(
    ("values", "expected"),
    [(["80"], [80]), (["80,443", "8080"], [80, 443, 8080])],
)
def test_ports_come_in_lists(values: list[str], expected: list[int]) -> None:
    assert ports_of(values) == expected


@pytest.mark.parametrize("values", [[], ["http"], ["0"], ["65536"], [",".join(["1"] * 101)]])
def test_ports_that_are_none_are_refused(values: list[str]) -> None:
    with pytest.raises(StatusError) as refused:
        ports_of(values)
    assert refused.value.code == 400
