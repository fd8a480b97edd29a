"""A connection carried over a session is the connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from kubus.bus.carrying import carry
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.sessions import STDIN, STDOUT, Session, Work, open_session, serve_sessions


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.write(b".")
    writer.close()


@asynccontextmanager
async def carried(*, half_open: bool) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to an echo server, over a bus."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def accept(_call: dict[str, Any]) -> Work:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def work(session: Session) -> None:
            await carry(session, reader, writer, STDOUT, half_open=True)

        return work

    broker = MemoryBroker()
    kubelet = await serve_sessions(MemoryBus(broker), "n1", accept)
    session = await open_session(MemoryBus(broker), "n1", {"verb": "dial"})
    ours, theirs = socket.socketpair()
    end = await asyncio.open_connection(sock=theirs)
    async with asyncio.TaskGroup() as tasks:
        carrying = tasks.create_task(carry(session, *end, STDIN, half_open=half_open))
        reader, writer = await asyncio.open_connection(sock=ours)
        async with asyncio.timeout(10):
            yield reader, writer
        writer.close()
        await carrying
    await session.aclose()
    await kubelet.aclose()
    server.close()


async def test_what_goes_in_comes_out_in_order_however_much_it_is() -> None:
    sent = Random(1).randbytes(3_000_000)
    async with carried(half_open=True) as (reader, writer), asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(reader.readexactly(len(sent)))
        writer.write(sent)
        await writer.drain()
        assert await reading == sent


async def test_one_direction_may_end_before_the_other() -> None:
    async with carried(half_open=True) as (reader, writer):
        writer.write(b"hello")
        writer.write_eof()
        assert await reader.read() == b"hello."


async def test_a_client_that_says_no_more_may_be_taken_for_gone() -> None:
    async with carried(half_open=False) as (reader, writer):
        writer.write_eof()
        assert await reader.read() == b""


@pytest.mark.parametrize("half_open", [True, False])
async def test_the_end_of_the_server_is_the_end_for_the_client(half_open: bool) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def accept(_call: dict[str, Any]) -> Work:
        made = await asyncio.open_connection("127.0.0.1", port)
        return lambda session: carry(session, *made, STDOUT, half_open=True)

    broker = MemoryBroker()
    kubelet = await serve_sessions(MemoryBus(broker), "n1", accept)
    session = await open_session(MemoryBus(broker), "n1", {"verb": "dial"})
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(carry(session, *await asyncio.open_connection(sock=theirs), STDIN, half_open=half_open))
        assert await reader.read() == b""
        writer.close()
    await session.aclose()
    await kubelet.aclose()
    server.close()
