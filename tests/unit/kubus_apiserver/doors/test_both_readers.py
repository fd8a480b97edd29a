"""Requests as bytes, through either reader of heads: what is no HTTP/1.1 is refused by both, and by the same code.

The first request on a connection meets the plain reader, which hands what it does not know to the general one. After a
request that is not plain the connection stays with the general reader.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from tests.unit.kubus_apiserver.conftest import ADMIN, Api

from kubus_apiserver.calls import User
from kubus_apiserver.doors.body_room import BodyRoom
from kubus_apiserver.doors.connections import Patience
from kubus_apiserver.doors.http import HttpDoor
from kubus_apiserver.doors.streams import Streams

MAPS = b"/api/v1/namespaces/default/configmaps"
GET, POST = b"GET %b HTTP/1.1" % MAPS, b"POST %b HTTP/1.1" % MAPS
JSON, CHUNKED = b"Content-Type: application/json", b"Transfer-Encoding: chunked"
BODY = b'{"metadata":{"generateName":"m-"}}'
SIZE = b"%x" % len(BODY)
IN_CHUNKS = SIZE + b"\r\n" + BODY + b"\r\n0\r\n\r\n"


class AdminsDoor(HttpDoor):
    """Everybody is the administrator."""

    def user(self, transport: asyncio.BaseTransport) -> User:
        return ADMIN


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture
def room() -> BodyRoom:
    return BodyRoom()


@pytest.fixture
def door_of() -> type[HttpDoor]:
    return AdminsDoor


@pytest.fixture
async def port(api: Api, patience: Patience, room: BodyRoom, door_of: type[HttpDoor]) -> AsyncIterator[int]:
    """Where the door is."""
    door = door_of(api.rest, api.core.watches, Streams(api.core.watches), bodies=room, patience=patience)
    runner = door.runner()
    await runner.setup()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        await web.SockSite(runner, listening).start()
        yield int(listening.getsockname()[1])
        api.core.watches.end_all()
        await runner.cleanup()


class Client:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, bytes]:
        """The next answer's code and body."""
        async with asyncio.timeout(20):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            return int(head.split()[1]), await self.reader.readexactly(length)

    async def ask(self, data: bytes) -> int:
        """The code of the answer to some bytes."""
        self.writer.write(data)
        return (await self.answer())[0]

    async def ended(self) -> bool:
        """Wait until the server has ended the connection."""
        async with asyncio.timeout(20):
            await self.reader.read()
            return True


async def connected(port: int, *, general: bool = False) -> Client:
    """A connection, left to the general reader if it is to be."""
    client = Client(*await asyncio.open_connection("127.0.0.1", port, limit=2**23))
    if general:
        assert await client.ask(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n") == 200
    return client


def request(line: bytes, *fields: bytes, host: bytes | None = b"Host: x", body: bytes = b"") -> bytes:
    """A request of these lines."""
    lines = [line, *([] if host is None else [host]), *fields]
    return b"".join(each + b"\r\n" for each in lines) + b"\r\n" + body


def posted(*fields: bytes, body: bytes = BODY) -> bytes:
    """A request with a body."""
    return request(POST, JSON, *fields, body=body)


CASES: dict[str, tuple[bytes, int]] = {
    "plain": (request(GET), 200),
    "with a length": (posted(b"Content-Length: %d" % len(BODY)), 201),
    "in chunks": (posted(CHUNKED, body=IN_CHUNKS), 201),
    "chunks with an extension": (posted(CHUNKED, body=IN_CHUNKS.replace(b"\r\n", b";a=b\r\n", 1)), 201),
    "a CRLF before the request": (b"\r\n" + request(GET), 200),
    # the length of a body
    "a length beside chunks": (posted(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"), 400),
    "chunks beside a length": (posted(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n"), 400),
    "two lengths": (posted(b"Content-Length: 2", b"Content-Length: 3", body=b"{}x"), 400),
    "a length twice": (posted(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"), 400),
    "a list of lengths": (posted(b"Content-Length: 2, 2", body=b"{}"), 400),
    "a length with a plus": (posted(b"Content-Length: +2", body=b"{}"), 400),
    "a negative length": (posted(b"Content-Length: -2", body=b"{}"), 400),
    "a hexadecimal length": (posted(b"Content-Length: 0x2", body=b"{}"), 400),
    "a length with a low line": (posted(b"Content-Length: 1_0", body=b"{}"), 400),
    "no length": (posted(b"Content-Length: ", body=b"{}"), 400),
    "a length of thirty digits": (posted(b"Content-Length: " + b"9" * 30, body=b"{}"), 400),
    "a length of twelve digits": (posted(b"Content-Length: " + b"9" * 12, body=b"{}"), 413),
    # transfer codings
    "gzip and chunked": (posted(b"Transfer-Encoding: gzip, chunked", body=IN_CHUNKS), 501),
    "chunked and gzip": (posted(b"Transfer-Encoding: chunked, gzip", body=IN_CHUNKS), 400),
    "chunked twice": (posted(CHUNKED, CHUNKED, body=IN_CHUNKS), 400),
    "identity": (posted(b"Transfer-Encoding: identity"), 400),
    "xchunked": (posted(b"Transfer-Encoding: xchunked", body=IN_CHUNKS), 400),
    "chunked in HTTP/1.0": (request(POST[:-1] + b"0", JSON, CHUNKED, body=IN_CHUNKS), 400),
    "a chunk size beyond 64 bits": (posted(CHUNKED, body=b"f" * 16 + IN_CHUNKS), 400),
    "a chunk size that is none": (posted(CHUNKED, body=b"0x" + IN_CHUNKS), 400),
    "a negative chunk size": (posted(CHUNKED, body=b"-" + IN_CHUNKS), 400),
    "a chunk that does not end": (posted(CHUNKED, body=SIZE + b"\r\n" + BODY + b"XX0\r\n\r\n"), 400),
    "a chunk size ended by LF": (posted(CHUNKED, body=IN_CHUNKS.replace(b"\r\n", b"\n", 1)), 400),
    # fields
    "a folded field": (request(GET, b"X: a\r\n b"), 400),
    "a fold before all fields": (GET + b"\r\n X: a\r\nHost: x\r\n\r\n", 400),
    "a blank before the colon": (request(GET, b"X : a"), 400),
    "no colon": (request(GET, b"Xa"), 400),
    "no name": (request(GET, b": a"), 400),
    "LF for CRLF": (request(GET).replace(b"\r\n", b"\n"), 400),
    "one LF for CRLF": (GET + b"\r\nHost: x\nX: y\r\n\r\n", 400),
    "CR in a field": (request(GET, b"X: a\rb"), 400),
    "NUL in a field": (request(GET, b"X: a\0b"), 400),
    "an expectation": (posted(b"Expect: miracles", b"Content-Length: 2", body=b"{}"), 417),
    # the host
    "no host": (request(GET, host=None), 400),
    "no host in HTTP/1.0": (request(GET[:-1] + b"0", host=None), 200),
    "two hosts": (request(GET, b"Host: y"), 400),
    "a host with a blank": (request(GET, host=b"Host: a b"), 400),
    "a host with a path": (request(GET, host=b"Host: a/b"), 400),
    "a host with a user": (request(GET, host=b"Host: a@b"), 400),
    "an empty host": (request(GET, host=b"Host:"), 200),
    "an IPv6 host": (request(GET, host=b"Host: [::1]:6443"), 200),
    # the request line
    "an absolute target": (request(b"GET http://x%b HTTP/1.1" % MAPS), 200),
    "an absolute target with a query": (request(b"GET https://x:6443%b?limit=1 HTTP/1.1" % MAPS), 200),
    "an absolute target without a path": (request(b"GET http://x HTTP/1.1"), 200),
    "an absolute target of another scheme": (request(b"GET ftp://x%b HTTP/1.1" % MAPS), 400),
    "a relative target": (request(b"GET api HTTP/1.1"), 400),
    "a tunnel": (request(b"CONNECT x:1 HTTP/1.1"), 400),
    "no version": (b"GET %b\r\n\r\n" % MAPS, 400),
    "no version, but fields": (b"GET %b\r\nHost: x\r\n\r\n" % MAPS, 400),
    "HTTP/9.9": (request(GET[:-3] + b"9.9"), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a blank in the target": (request(b"GET %b x HTTP/1.1" % MAPS), 400),
    "a control character in the target": (request(b"GET %b\x01 HTTP/1.1" % MAPS), 400),
    "a method that is none": (request(b"G@T %b HTTP/1.1" % MAPS), 400),
    "nonsense": (b"NONSENSE\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x00\xa5\x01\x00\r\n\r\n", 400),
    # sizes
    "a long target": (request(b"GET %b?a=%b HTTP/1.1" % (MAPS, b"x" * 70_000)), 414),
    "a long field": (request(GET, b"X: " + b"x" * 140_000), 431),
    "many fields": (request(GET, *[b"X: y"] * 5_000), 431),
    "long fields": (request(GET, *[b"X%d: %b" % (each, b"y" * 10_000) for each in range(60)]), 431),
}


@pytest.mark.parametrize("general", [False, True], ids=["first", "later"])
@pytest.mark.parametrize(("data", "code"), CASES.values(), ids=CASES.keys())
async def test_a_request_is_read_the_same_way_by_either_reader(
    port: int, caplog: pytest.LogCaptureFixture, data: bytes, code: int, general: bool
) -> None:
    caplog.set_level(logging.INFO)
    client = await connected(port, general=general)
    assert await client.ask(data) == code
    refused = [record for record in caplog.records if "malformed" in record.message]
    assert len(refused) == (1 if code in (400, 414, 417, 431, 501) else 0)
    assert not any(record.exc_info for record in caplog.records)
    if refused:
        assert await client.ended()
    client.writer.close()


@pytest.mark.parametrize("general", [False, True], ids=["first", "later"])
async def test_an_absolute_target_names_what_its_path_does(port: int, general: bool) -> None:
    client = await connected(port, general=general)
    client.writer.write(request(b"GET http://elsewhere:1%b HTTP/1.1" % MAPS))
    code, body = await client.answer()
    assert code == 200 and b'"ConfigMapList"' in body
    client.writer.close()


class Strict(HttpDoor):
    """Nobody has a certificate."""


LARGE = 2 * 1024 * 1024


@pytest.mark.parametrize("door_of", [Strict])
@pytest.mark.parametrize("general", [False, True], ids=["first", "later"])
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ((b"Content-Length: %d" % LARGE,), 403),
        ((CHUNKED,), 403),
        ((b"Content-Length: %d" % LARGE, b"Authorization: Bearer x"), 401),
        ((CHUNKED, b"Authorization: Bearer x"), 401),
        ((b"Content-Length: %d" % LARGE, b"Impersonate-User: admin"), 403),
    ],
)
async def test_a_body_is_not_read_of_somebody_who_may_not_send_it(
    port: int, room: BodyRoom, fields: Any, code: int, general: bool
) -> None:
    client = await connected(port, general=general)
    assert await client.ask(request(POST, JSON, *fields, body=b"")) == code
    assert room.used == 0
    client.writer.write(b"x" * 100_000)
    assert await client.ended()


@pytest.mark.parametrize("patience", [Patience(head_seconds=0.2, body_seconds=0.2, idle_seconds=30)])
@pytest.mark.parametrize("general", [False, True], ids=["first", "later"])
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (GET + b"\r\nHost: x\r\nX-Slow: ", 408),
        (b"\r", 408),
        (posted(b"Content-Length: 100"), 408),
        (posted(CHUNKED, body=IN_CHUNKS[:9]), 408),
    ],
)
async def test_a_request_that_does_not_end_is_ended(
    port: int, room: BodyRoom, data: bytes, code: int, general: bool
) -> None:
    client = await connected(port, general=general)
    assert await client.ask(data) == code
    assert await client.ended()
    assert room.used == 0


@pytest.mark.parametrize("patience", [Patience(head_seconds=0.2)])
async def test_a_connection_on_which_nothing_is_asked_is_ended(port: int) -> None:
    assert await (await connected(port)).ended()


@pytest.mark.parametrize("general", [False, True], ids=["first", "later"])
async def test_a_head_without_an_end_is_refused_when_it_is_too_large(port: int, general: bool) -> None:
    client = await connected(port, general=general)
    client.writer.write(GET + b"\r\n")
    for number in range(60):
        client.writer.write(b"X%d: %b\r\n" % (number, b"y" * 10_000))
    assert (await client.answer())[0] == 431


@pytest.mark.parametrize("room", [BodyRoom(100)])
@pytest.mark.parametrize("general", [False, True], ids=["first", "later"])
async def test_a_body_waits_for_room(port: int, room: BodyRoom, general: bool) -> None:
    body = BODY + b" " * (60 - len(BODY))
    head = posted(b"Content-Length: 60", body=b"")
    clients = [await connected(port, general=general) for _ in range(3)]
    for client in clients:
        client.writer.write(head + body[:10])
    async with asyncio.timeout(20):
        while room.used < 60:
            await asyncio.sleep(0.01)
    assert room.used <= 100
    clients[2].writer.close()
    for client in clients[:2]:
        assert await client.ask(body[10:]) == 201
    async with asyncio.timeout(20):
        while room.used:
            await asyncio.sleep(0.01)


UPGRADE = (
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
MASK = b"\0\0\0\0"


@pytest.mark.parametrize(
    "frame",
    [
        b"\x82\x01x",
        b"\x89\x00",
        b"\x82\x81" + MASK + b"x" + b"\x82\x01y",
        b"\x89\xfe\x00\x7e" + MASK + b"x" * 126,
        b"\x09\x80" + MASK,
        b"\xc2\x80" + MASK,
        b"\x83\x80" + MASK,
        b"\x80\x80" + MASK,
    ],
    ids=[
        "not masked",
        "a ping that is not masked",
        "not masked after one that is",
        "a long ping",
        "a ping in fragments",
        "a reserved bit",
        "an unknown opcode",
        "a continuation of nothing",
    ],
)
async def test_frames_that_no_client_may_send_end_a_websocket(port: int, frame: bytes) -> None:
    client = await connected(port)
    client.writer.write(request(b"GET %b?watch=true HTTP/1.1" % MAPS, *UPGRADE))
    async with asyncio.timeout(20):
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        client.writer.write(frame)
        opcode, length = await client.reader.readexactly(2)
        payload = await client.reader.readexactly(length)
    assert (opcode, int.from_bytes(payload[:2])) == (0x88, 1002)
    client.writer.close()
