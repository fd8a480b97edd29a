"""A core on a store in memory, and the two doors in front of it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from kubus.model.codec import from_json, to_json
from kubus.model.kinds import Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.service.clocks import SystemClock
from kubus.service.logs import Logger
from kubus.store.memory import MemoryStore
from kubus_apiserver.bootstrap import bootstrap
from kubus_apiserver.calls import AUTHENTICATED, MASTERS, User
from kubus_apiserver.core import SERVICE_CIDR, Core, build
from kubus_apiserver.doors.answers import Answer, Call, WatchAnswer
from kubus_apiserver.doors.health import fine
from kubus_apiserver.doors.ledger import Ledger
from kubus_apiserver.doors.nonresource import NonResource
from kubus_apiserver.doors.queries import parse_query
from kubus_apiserver.doors.rest import Rest
from kubus_apiserver.reading.watches import Batch

ADMIN = User("admin", (MASTERS, AUTHENTICATED))


class Reply:
    """An answer, read."""

    def __init__(self, answer: Answer) -> None:
        self.code = answer.code
        self.answer = answer
        body = gzip.decompress(answer.body) if answer.encoding == "gzip" else answer.body
        self.body: Any = from_json(body) if body and answer.content_type.startswith("application/json") else body

    @property
    def message(self) -> str:
        return self.body["message"]


class Sink:
    """Collects what a watch sends."""

    def __init__(self) -> None:
        self.closed = False
        self.events: list[dict[str, Any]] = []
        self.arrived = asyncio.Event()

    def send(self, batch: Batch) -> None:
        self.events += [from_json(event) for event in batch.events]
        self.arrived.set()

    async def drained(self) -> None:
        await asyncio.sleep(0)

    async def until(self, count: int) -> list[dict[str, Any]]:
        """The events so far, once there are as many."""
        async with asyncio.timeout(5):
            while len(self.events) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.events


class Api:
    """Asks REST as a user."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.user = ADMIN
        nonresource = NonResource(core.registry, core.schemas, {"ping": fine}, CollectorRegistry(), "here:6443")
        self.rest = Rest(core, nonresource, Logger("test"), ledger=Ledger(core.registry, core.cache, Random(1)))

    async def __call__(self, method: str, url: str, body: Any = None, **headers: str) -> Reply:
        answer = await self.raw(method, url, body, **headers)
        assert isinstance(answer, Answer)
        return Reply(answer)

    async def raw(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        path, _, query = url.partition("?")
        data = body if isinstance(body, bytes) else to_json(body) if body is not None else b""
        call = Call(method, path, parse_query(query), self.user, body=data, user_agent="test/1.0")
        return await self.rest.answer(call._replace(**headers))

    async def watch(self, url: str, tasks: asyncio.TaskGroup, **headers: str) -> Sink:
        """A watch that goes on in the task group."""
        answer = await self.raw("GET", url, **headers)
        assert isinstance(answer, WatchAnswer), answer
        sink = Sink()
        tasks.create_task(self.core.watches.stream(answer.start, sink))
        return sink

    async def ok(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        """The body of an answer that has to be a success."""
        reply = await self(method, url, body, **headers)
        assert reply.code < 300, reply.body
        return reply.body


@pytest.fixture
async def core() -> AsyncIterator[Core]:
    """A running core with the first namespaces."""
    clock = SystemClock()
    made = build(MemoryStore(clock), clock, Random(1), Registry(builtin_kinds()))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.run())
        await made.loaded()
        await bootstrap(made, SERVICE_CIDR, "10.0.0.1", 6443)
        yield made
        running.cancel()


@pytest.fixture
def api(core: Core) -> Api:
    """REST on the core, as an administrator."""
    return Api(core)
