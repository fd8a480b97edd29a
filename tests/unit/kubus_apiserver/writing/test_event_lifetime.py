"""Events go an hour after they were last written, in either version, and watchers hear of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

from kubus.model.kinds import Registry
from kubus.model.kinds.builtin import builtin_kinds
from kubus.service.clocks import SystemClock
from kubus.store.memory import MemoryStore
from kubus_apiserver.bootstrap import bootstrap
from kubus_apiserver.core import SERVICE_CIDR, build

CORE = "/api/v1/namespaces/default/events"
YOUNG = "/apis/events.k8s.io/v1/namespaces/default/events"
ABOUT = {"kind": "Pod", "name": "x", "namespace": "default"}
EVENT: dict[str, Any] = {"metadata": {"name": "e"}, "involvedObject": ABOUT, "reason": "r", "type": "Normal"}
YOUNG_EVENT: dict[str, Any] = {
    "metadata": {"name": "e"},
    "regarding": ABOUT,
    "reason": "r",
    "type": "Normal",
    "action": "a",
    "reportingController": "c.example.com",
    "reportingInstance": "i",
    "eventTime": "2026-01-01T00:00:00.000000Z",
}


class StoreClock:
    """The time that leases go by."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, tz=UTC)

    def monotonic(self) -> float:
        return self.seconds


@pytest.mark.parametrize(("path", "event"), [(CORE, EVENT), (YOUNG, YOUNG_EVENT)], ids=["core", "events.k8s.io"])
async def test_an_event_lives_an_hour_after_its_last_write(path: str, event: dict[str, Any]) -> None:
    clock, leases = SystemClock(), StoreClock()
    core = build(MemoryStore(leases), clock, Random(1), Registry(builtin_kinds()))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(core.run())
        await core.loaded()
        await bootstrap(core, SERVICE_CIDR, "10.0.0.1", 6443)
        api = Api(core)
        await api.ok("POST", path, event)
        sink = await api.watch(f"{path}?watch=true", tasks)
        leases.seconds = 3000
        patch = {"metadata": {"labels": {"a": "b"}}}
        await api.ok("PATCH", f"{path}/e", patch, content_type="application/merge-patch+json")
        leases.seconds = 6000
        await core.store.revision()
        assert (await api("GET", f"{path}/e")).code == 200
        leases.seconds = 6700
        await core.store.revision()
        events = await sink.until(3)
        assert [each["type"] for each in events] == ["ADDED", "MODIFIED", "DELETED"]
        assert events[-1]["object"]["metadata"]["name"] == "e"
        assert (await api("GET", f"{path}/e")).code == 404
        core.watches.end_all()
        running.cancel()
