"""Streams of a SPDY connection."""

from __future__ import annotations

import asyncio
import struct

from tests.unit.kubus_apiserver.forwarding.spdy_client import Client, control
from tests.unit.kubus_apiserver.forwarding.test_port_forwards import Wire

from kubus_apiserver.forwarding.spdy_streams import Connection, Stream


async def test_a_stream_has_two_directions_that_end_each_by_itself() -> None:
    client, wire, streams = Client(), Wire(), list[Stream]()
    connection = Connection(wire.receive, wire.send, lambda stream: streams.append(stream) is None)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(connection.run())
        wire.say(client.opened(1, {"a": "b"}) + client.data(1, b"one") + client.data(1, b"two", fin=True))
        assert client.read(await wire.heard()) == [("reply", 1, b"")]
        (stream,) = streams
        assert stream.headers == {"a": "b"}
        assert [await stream.read() for _ in range(4)] == [b"one", b"two", b"", b""]
        await stream.write(b"x" * 40_000)
        sizes = [len(client.read(await wire.heard())[0][2]) for _ in range(2)]
        assert sizes == [32_768, 7_232], "in frames that clients read"
        await stream.close()
        await stream.close()
        assert client.read(await wire.heard()) == [("end", 1, b"")]
        wire.say(b"")


async def test_a_stream_that_is_reset_or_whose_client_leaves_has_ended() -> None:
    client, wire, streams = Client(), Wire(), list[Stream]()
    connection = Connection(wire.receive, wire.send, lambda stream: streams.append(stream) is None)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(connection.run())
        wire.say(client.opened(1, {}) + client.opened(3, {}) + control(3, struct.pack(">II", 1, 5)))
        await wire.heard()
        await wire.heard()
        assert await streams[0].read() == b""
        wire.say(client.data(1, b"late"))  # of no stream any more
        wire.say(b"")
        assert await streams[1].read() == b""


async def test_a_stream_that_is_open_is_not_opened_again() -> None:
    client, wire = Client(), Wire()
    connection = Connection(wire.receive, wire.send, lambda _stream: True)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(connection.run())
        wire.say(client.opened(1, {}) + client.opened(1, {}))
        assert client.read(await wire.heard()) == [("reply", 1, b"")]
        assert client.read(await wire.heard())[0][:2] == ("control 3", 1)
        wire.say(b"")
