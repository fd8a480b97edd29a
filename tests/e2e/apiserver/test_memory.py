"""The memory of a real apiserver under many connections: of clients without credentials, and of slow ones with."""

from __future__ import annotations

import asyncio
import ssl
from itertools import product
from pathlib import Path

from tests.e2e.apiserver.conftest import Apiserver
from tests.e2e.apiserver.raw_http import tls_of

from kubus_cli.identities import ADMIN

CONNECTIONS = 100
BODY_BYTES = 3 * 1024 * 1024 - 1024
GROWTH_MAX_MB = 300
"""A TLS connection takes half a megabyte while it is read from, the room for bodies is 32 MB; sent are 1,200 MB."""


def memory_mb(pid: int) -> float:
    """What a process has of the machine's memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def head(kind: str) -> bytes:
    """The beginning of a large create."""
    length = {"announced": b"Content-Length: %d" % BODY_BYTES, "chunked": b"Transfer-Encoding: chunked"}[kind]
    lines = (b"POST /api/v1/namespaces/default/configmaps HTTP/1.1", b"Host: x", b"Content-Type: application/json")
    return b"\r\n".join((*lines, length, b"", b""))


async def send(port: int, tls: ssl.SSLContext, kind: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a body has come but for its end, as far as the server took it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    writer.write(head(kind))
    piece = b"x" * 65536
    try:
        async with asyncio.timeout(3):
            for _ in range(BODY_BYTES // len(piece)):
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if kind == "chunked" else piece)
                await writer.drain()
    except (TimeoutError, ConnectionError):
        pass  # it is not read any further, or refused
    return reader, writer


async def first_line(reader: asyncio.StreamReader) -> bytes:
    """The first line of an answer; b"" of one that was lost with its connection."""
    try:
        async with asyncio.timeout(30):
            return await reader.readline()
    except ConnectionError:
        return b""


def anonymous_tls(directory: Path) -> ssl.SSLContext:
    """TLS without a certificate."""
    tls = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    tls.check_hostname = False
    return tls


async def test_bodies_that_do_not_end_take_little_memory_however_often(apiserver: Apiserver) -> None:
    """Four times 300 MB are sent, and the process never has a quarter of that more than at first."""
    nobody, administrator = anonymous_tls(apiserver.directory), tls_of(apiserver.directory, ADMIN.file)
    before = memory_mb(apiserver.pid)
    for tls, kind in product((nobody, administrator), ("announced", "chunked")):
        opened = await asyncio.gather(*(send(apiserver.port, tls, kind) for _ in range(CONNECTIONS)))
        assert memory_mb(apiserver.pid) - before < GROWTH_MAX_MB
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", apiserver.port, ssl=tls)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readline()).split()[1] == b"200", "others are served meanwhile"
            writer.transport.abort()
        if tls is nobody:
            codes = await asyncio.gather(*(first_line(each) for each, _ in opened))
            assert all(b" 403 " in code for code in codes if code), codes
        for _, each in opened:
            each.transport.abort()
    assert memory_mb(apiserver.pid) - before < GROWTH_MAX_MB
