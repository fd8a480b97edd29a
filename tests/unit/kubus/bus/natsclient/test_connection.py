"""One connection against a server that says what a test wants; real ones are in test_nats."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

from kubus.bus import BusError, Disconnected, Message
from kubus.bus.natsclient import connection as module
from kubus.bus.natsclient.connection import Connection, Handlers
from kubus.bus.natsclient.protocol import Delivered

INFO = b'INFO {"max_payload":100,"server_id":"x"}\r\n'


class Heard:
    """What a connection tells."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.errors: list[str] = []
        self.lost: list[str] = []

    def message(self, delivered: Delivered) -> None:
        self.messages.append(delivered.message)


class Server:
    """The other end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def hears(self, line: bytes) -> None:
        async with asyncio.timeout(5):
            assert (await self.reader.readline()).startswith(line)


@asynccontextmanager
async def greeted(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Connection, Server, Heard]]:
    """A connection to a server that has said INFO only."""
    arrived: asyncio.Queue[Server] = asyncio.Queue()
    listener = await asyncio.start_server(lambda *both: arrived.put_nowait(Server(*both)), "127.0.0.1", 0)
    heard = Heard()
    handlers = Handlers(heard.message, heard.errors.append, heard.lost.append)
    connection = Connection("me", tls, "127.0.0.1", handlers)
    port = listener.sockets[0].getsockname()[1]
    await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", port)
    server = await arrived.get()
    server.writer.write(INFO)
    try:
        yield connection, server, heard
    finally:
        connection.abort("the test is over")
        server.writer.close()
        listener.close()


@asynccontextmanager
async def let_in() -> AsyncIterator[tuple[Connection, Server, Heard]]:
    """A connection that stands."""
    async with greeted() as (connection, server, heard):
        await server.hears(b"CONNECT ")
        await server.hears(b"PING")
        assert not connection.is_open
        server.writer.write(b"PONG\r\n")
        await connection.ready
        assert connection.is_open
        yield connection, server, heard


async def over(connection: Connection) -> None:
    async with asyncio.timeout(5):
        while connection.is_open:
            await asyncio.sleep(0.01)


async def test_what_a_turn_sends_goes_out_in_order_and_messages_come_in() -> None:
    async with let_in() as (connection, server, heard):
        connection.send(b"SUB news 2\r\n")
        connection.send(b"PUB news 1\r\nx\r\n")
        await server.hears(b"SUB news 2")
        await server.hears(b"PUB news 1")
        await server.hears(b"x")
        server.writer.write(b"MSG news 2 1\r\nx\r\nPING\r\n")
        await server.hears(b"PONG")
        assert heard.messages == [Message("news", b"x")]


async def test_flushed_waits_for_the_answer_of_its_own_ping() -> None:
    async with let_in() as (connection, server, _), asyncio.TaskGroup() as tasks:
        flushing = tasks.create_task(connection.flushed())
        await server.hears(b"PING")
        assert not flushing.done()
        server.writer.write(b"PONG\r\n")


async def test_a_message_beyond_what_the_server_takes_is_not_sent() -> None:
    async with let_in() as (connection, _, _):
        connection.check_size(bytes(100))
        with pytest.raises(BusError, match="too large"):
            connection.check_size(bytes(101))


async def test_a_violation_is_told_and_any_other_error_is_the_end() -> None:
    async with let_in() as (connection, server, heard):
        server.writer.write(b"-ERR 'Permissions Violation for Publish to \"x\"'\r\nPING\r\n")
        await server.hears(b"PONG")
        assert heard.errors == ['Permissions Violation for Publish to "x"']
        assert connection.is_open
        server.writer.write(b"-ERR 'Stale Connection'\r\n")
        await over(connection)
        assert heard.lost == ["Stale Connection"]
        with pytest.raises(Disconnected):
            connection.send(b"PING\r\n")


async def test_who_waits_for_an_answer_when_the_server_goes_is_told() -> None:
    async with let_in() as (connection, server, heard), asyncio.TaskGroup() as tasks:
        flushing = tasks.create_task(_refused(connection.flushed()))
        await server.hears(b"PING")
        server.writer.close()
        await flushing
        assert heard.lost == ["the server has closed the connection"]


async def _refused(waiting: Awaitable[None]) -> None:
    with pytest.raises(Disconnected):
        await waiting


async def test_a_server_without_tls_gets_no_name_from_who_wants_tls() -> None:
    async with greeted(ssl.create_default_context()) as (connection, server, _):
        with pytest.raises(Disconnected, match="does not speak TLS"):
            await connection.ready
        assert await server.reader.read() == b""


async def test_a_server_that_answers_no_pings_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.02)
    async with let_in() as (connection, _, heard):
        await over(connection)
        assert heard.lost == ["the server does not answer"]


async def test_a_socket_that_takes_no_more_makes_writers_wait() -> None:
    async with let_in() as (connection, _, _), asyncio.TaskGroup() as tasks:
        connection.pause_writing()
        waiting = tasks.create_task(connection.writable())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        connection.resume_writing()
