"""Connections from a node into its pods."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.sessions import STDIN, STDOUT, Work, open_session, serve_sessions
from kubus.model.errors import StatusError
from kubus.service.netns import NodeNamespace
from kubus.testing.etcd_server import free_port
from kubus_kubelet.dials import connected, dial


@pytest.fixture
def namespace() -> Iterator[NodeNamespace]:
    made = NodeNamespace("")
    yield made
    made.close()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.read(100)).upper())
    writer.close()


def worker(address: str, *, host_network: bool = True) -> Any:
    """A pod's worker, as far as a connection needs it."""
    pod = {"metadata": {"name": "web", "uid": "u1"}, "spec": {"hostNetwork": host_network}}
    return SimpleNamespace(uid="u1", pod=pod, seen=SimpleNamespace(address=address))


@pytest.mark.parametrize("local", [False, True])
async def test_a_pod_is_reached_at_its_address_or_on_its_loopback(namespace: NodeNamespace, local: bool) -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tools: Any = SimpleNamespace(namespace=namespace)

    async def accept(call: dict[str, Any]) -> Work:
        return await dial(tools, worker("127.0.0.1"), call)

    broker = MemoryBroker()
    kubelet = await serve_sessions(MemoryBus(broker), "n1", accept)
    session = await open_session(MemoryBus(broker), "n1", {"verb": "dial", "port": port, "local": local})
    await session.send(STDIN, b"hello")
    assert await session.receive() == (STDOUT, b"HELLO")
    await session.aclose()
    await kubelet.aclose()
    server.close()


async def test_nobody_there_is_said_before_the_session_begins(namespace: NodeNamespace) -> None:
    port = free_port()
    tools: Any = SimpleNamespace(namespace=namespace)
    with pytest.raises(StatusError, match=f"dial tcp 127.0.0.1:{port}: connect: connection refused") as refused:
        await dial(tools, worker("127.0.0.1"), {"port": port})
    assert refused.value.code == 503
    with pytest.raises(StatusError, match="pod web has no address yet"):
        await dial(tools, worker(""), {"port": port})


async def test_the_second_host_is_tried_and_the_first_ones_words_are_told(namespace: NodeNamespace) -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (await connected(namespace, ("::1", "127.0.0.1"), port)).close()
    server.close()
    with pytest.raises(StatusError, match=r"dial tcp 127\.0\.0\.1"):
        await connected(namespace, ("127.0.0.1", "::1"), free_port())
