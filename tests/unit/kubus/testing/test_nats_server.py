"""The test server starts, dies and comes back on the same port; certificates are in test_nats."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kubus.testing.nats_server import NatsServer, ServerTls, binary, free_port, nats_server


async def greeting(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await reader.readline()
    finally:
        writer.close()


async def test_it_runs_while_the_block_does() -> None:
    async with nats_server() as server:
        assert server.pid
        assert (await greeting(server.port)).startswith(b"INFO")
        assert server.url == f"nats://127.0.0.1:{server.port}"
    assert not server.pid
    with pytest.raises(OSError):
        await greeting(server.port)


async def test_it_can_be_killed_and_comes_back_where_it_was() -> None:
    async with nats_server() as server:
        first = server.pid
        await server.kill()
        assert not server.pid
        await server.restart()
        assert server.pid not in (0, first)
        await greeting(server.port)
        await server.stop()
        assert not server.pid


async def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, ServerTls("/no/ca", "/no/certificate", "/no/key"))
    with pytest.raises(RuntimeError, match="nats-server ended"):
        await server.start()


def test_the_binary_is_there_and_ports_are_free() -> None:
    assert Path(binary()).exists()
    assert free_port() != free_port()
