"""Connections, over a bus and without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kubus.bus.carrying import carry
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.sessions import STDOUT, Session, Work, serve_sessions
from kubus.model import errors
from kubus.testing.etcd_server import free_port
from kubus_apiserver.forwarding.dialling import DialFailed, Dialler
from kubus_apiserver.forwarding.endpoints import Destination


async def _greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    writer.close()


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    """The port of a server that says hello."""
    listening = await asyncio.start_server(_greet, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def heard(dialler: Dialler, to: Destination) -> bytes:
    """What a server says."""
    reader, writer = await asyncio.open_connection(sock=await dialler.dial(to))
    async with asyncio.timeout(5):
        said = await reader.read()
    writer.close()
    return said


async def test_a_pod_is_dialled_by_its_kubelet() -> None:
    calls: list[dict[str, Any]] = []
    async with server() as port:

        async def accept(call: dict[str, Any]) -> Work:
            calls.append(call)
            if call["port"] != 80:
                raise errors.unavailable("dial tcp 10.0.0.1:81: connect: connection refused")
            made = await asyncio.open_connection("127.0.0.1", port)

            async def work(session: Session) -> None:
                await carry(session, *made, STDOUT, half_open=True)

            return work

        broker = MemoryBroker()
        kubelet = await serve_sessions(MemoryBus(broker), "n1", accept)
        dialler = Dialler()
        dialler.bus = MemoryBus(broker)
        to = Destination("10.0.0.1", 80, "n1", "a", "web", "u1")
        assert await heard(dialler, to) == b"hello"
        asked = {"verb": "dial", "namespace": "a", "pod": "web", "uid": "u1", "port": 80}
        assert calls == [asked]
        with pytest.raises(DialFailed, match=r"dial tcp 10\.0\.0\.1:81: connect: connection refused"):
            await dialler.dial(to._replace(port=81))
        await dialler.aclose()
        await kubelet.aclose()


async def test_what_is_no_pod_is_dialled_directly_and_a_pod_too_without_a_bus() -> None:
    async with server() as port:
        dialler = Dialler()
        assert await heard(dialler, Destination("127.0.0.1", port)) == b"hello"
        assert await heard(dialler, Destination("127.0.0.1", port, "n1", "a", "web", "u1")) == b"hello"
        assert await heard(dialler, Destination("localhost", port)) == b"hello"


@pytest.mark.parametrize(
    ("host", "words"),
    [("127.0.0.1", "connect: connection refused"), ("nobody.invalid", "lookup nobody.invalid: no such host")],
)
async def test_nobody_there_is_said_as_go_says_it(host: str, words: str) -> None:
    with pytest.raises(DialFailed, match=words):
        await Dialler().dial(Destination(host, free_port()))


async def test_a_pod_is_dialled_directly_while_its_kubelet_is_away() -> None:
    """No write has to wait for the bus, even one that a webhook in a pod is asked about."""
    async with server() as port:
        dialler = Dialler()
        dialler.bus = MemoryBus(MemoryBroker())
        assert await heard(dialler, Destination("127.0.0.1", port, "n1", "a", "web", "u1")) == b"hello"
        await dialler.aclose()
