"""Commands over SPDY, to a kubelet on a bus in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.kubus_apiserver.forwarding.spdy_client import Client
from tests.unit.kubus_apiserver.forwarding.test_port_forwards import Wire

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.sessions import CLOSE, ERROR, RESIZE, STDERR, STDOUT, Session, Work, open_session, serve_sessions
from kubus_apiserver.forwarding.commands import over_spdy, streams_of

EXEC: dict[str, Any] = {"verb": "exec", "stdin": True, "stdout": True, "stderr": True, "tty": False}


@asynccontextmanager
async def running(work: Work) -> AsyncIterator[Session]:
    """A session on which a kubelet works."""

    async def accept(_call: dict[str, Any]) -> Work:
        return work

    broker = MemoryBroker()
    kubelet = await serve_sessions(MemoryBus(broker), "n1", accept)
    session = await open_session(MemoryBus(broker), "n1", {"verb": "exec"})
    yield session
    await session.aclose()
    await kubelet.aclose()


async def conversation(work: Work, wanted: frozenset[str], *told: tuple[str, bytes]) -> dict[str, bytes]:
    """What a client hears on each stream, having said its part and then no more."""
    client, wire = Client(), Wire()
    numbers = {kind: 2 * place + 1 for place, kind in enumerate(sorted(wanted))}
    kinds = {number: kind for kind, number in numbers.items()}
    heard: dict[str, bytes] = dict.fromkeys(wanted, b"")
    ended: set[str] = set()
    async with running(work) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(over_spdy(wire.receive, wire.send, session, wanted))
        for kind, number in numbers.items():
            wire.say(client.opened(number, {"streamtype": kind}))
        for kind, data in told:
            wire.say(client.data(numbers[kind], data, fin=not data))
        while ended != wanted:
            for what, number, data in client.read(await wire.heard()):
                if what == "end":
                    ended.add(kinds[number])
                elif what == "data":
                    heard[kinds[number]] += data
        wire.say(b"")
    return heard


async def _shout(session: Session) -> None:
    while (frame := await session.receive()) is not None and frame[0] != CLOSE:
        await session.send(STDOUT, frame[1].upper())
    await session.send(STDERR, b"done")
    await session.send(ERROR, b'{"status":"Failure"}')


async def test_each_stream_is_one_of_the_connections() -> None:
    heard = await conversation(_shout, streams_of(EXEC), ("stdin", b"hello "), ("stdin", b"you"), ("stdin", b""))
    assert heard == {"stdin": b"", "stdout": b"HELLO YOU", "stderr": b"done", "error": b'{"status":"Failure"}'}


async def test_a_terminal_is_told_its_size() -> None:
    async def work(session: Session) -> None:
        for _ in range(2):
            frame = await session.receive()
            assert frame is not None
            assert frame[0] == RESIZE
            await session.send(STDOUT, frame[1])

    wanted = streams_of({**EXEC, "stderr": False, "tty": True})
    assert wanted == {"error", "stdin", "stdout", "resize"}
    heard = await conversation(work, wanted, ("resize", b'{"Width":1}\n{"Width":2}\n'))
    assert heard["stdout"] == b'{"Width":1}{"Width":2}'
    assert json.loads(heard["error"])["status"] == "Success", "a kubelet that says nothing more has succeeded"


@pytest.mark.parametrize("kind", ["stdout", "unheard-of", ""])
async def test_a_stream_that_nobody_asked_for_is_refused(kind: str) -> None:
    client, wire = Client(), Wire()
    async with running(_shout) as session, asyncio.TaskGroup() as tasks:
        tasks.create_task(over_spdy(wire.receive, wire.send, session, frozenset({"error", "stdin"})))
        wire.say(client.opened(1, {"streamtype": kind}))
        assert client.read(await wire.heard())[0][:2] == ("control 3", 1)
        wire.say(b"")
