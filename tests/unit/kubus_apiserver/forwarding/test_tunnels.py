"""Upgrades, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socketpair

import pytest

from kubus_apiserver.forwarding import tunnels

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Stream, Stream]]:
    """Both ends of a connection."""
    one, other = socketpair()
    near, far = await asyncio.open_connection(sock=one), await asyncio.open_connection(sock=other)
    try:
        async with asyncio.timeout(5):
            yield near, far
    finally:
        near[1].close()
        far[1].close()


def test_a_request_has_a_host_even_if_the_client_named_none() -> None:
    assert tunnels.request_head("GET", "/x?y", "there:80", [("A", "1")]) == (
        b"GET /x?y HTTP/1.1\r\nHost: there:80\r\nA: 1\r\n\r\n"
    )
    assert b"there" not in tunnels.request_head("GET", "/", "there:80", [("host", "here")])


@pytest.mark.parametrize(
    ("raw", "code", "length"),
    [
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 101, None),
        (b"HTTP/1.1 403 Forbidden\r\nCONTENT-LENGTH: 5\r\n\r\n", 403, 5),
        (b"HTTP/1.0 200\r\n\r\n", 200, None),
    ],
)
async def test_the_head_of_an_answer_is_read_and_no_more(raw: bytes, code: int, length: int | None) -> None:
    async with pair() as (near, far):
        far[1].write(raw + b"tail")
        assert await tunnels.read_head(near[0]) == tunnels.Head(code, raw, length)
        assert await near[0].read(4) == b"tail"


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_what_is_no_answer_is_not_taken_for_one(raw: bytes) -> None:
    async with pair() as (near, far):
        far[1].write(raw)
        far[1].write_eof()
        with pytest.raises(tunnels.BadHead):
            await tunnels.read_head(near[0])


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: 2\r\n", b"no"),
        (b"Transfer-Encoding: chunked\r\n", b"2\r\nno\r\n0\r\n\r\n"),
        (b"Connection: keep-alive\r\nContent-Length: 0\r\n", b""),
    ],
)
async def test_an_answer_that_is_no_upgrade_ends_the_connection(headers: bytes, body: bytes) -> None:
    """The server may keep its side open: nothing of what the client says next may reach it."""
    raw = b"HTTP/1.1 403 Forbidden\r\n" + headers + b"\r\n"
    async with pair() as (near, far), pair() as (client, door):
        far[1].write(raw + body)
        head = await tunnels.read_head(near[0])
        await tunnels.pass_on(head, near[0], door[1])
        door[1].close()
        said = await client[0].read()
        assert said.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert said.endswith(b"Connection: close\r\n\r\n" + body)
        assert b"keep-alive" not in said


async def test_both_ways_are_joined_until_one_side_ends() -> None:
    async with pair() as (client, here), pair() as (there, server), asyncio.TaskGroup() as tasks:
        tasks.create_task(tunnels.join(here, there))
        client[1].write(b"ping")
        assert await server[0].read(4) == b"ping"
        server[1].write(b"pong")
        assert await client[0].read(4) == b"pong"
        server[1].close()
