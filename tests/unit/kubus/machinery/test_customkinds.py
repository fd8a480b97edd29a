"""Kinds that come and go while informers and controllers run, in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.subjects import ApiSubject
from kubus.bus.wire import Request
from kubus.client.over_bus import BusClient
from kubus.machinery.controller import Controllers
from kubus.machinery.customkinds import CustomKinds
from kubus.machinery.informer import Informers
from kubus.machinery.plans import Controller, Plan, View, Watch
from kubus.machinery.recorder import Recorder
from kubus.model.custom.acceptance import judged
from kubus.model.custom.definitions import kinds_of
from kubus.model.errors import StatusError, path_not_found
from kubus.model.kinds import Kind
from kubus.model.kinds.customresourcedefinitions import KIND as DEFINITIONS
from kubus.model.objects import Key, Object, name_of, namespace_of
from kubus.testing.clock import SimulatedClock, simulate
from kubus.testing.small_api import SmallApi

MAPS = Kind(group="", version="v1", name="ConfigMap", plural="configmaps", namespaced=True, schema="")


def _definition() -> Object:
    spec = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [{"name": "v1", "served": True, "storage": True}],
    }
    made = {"metadata": {"name": "widgets.example.com", "uid": "d"}, "spec": spec}
    return {**made, "status": judged(made, [], "2026-01-01T00:00:00Z")}


(WIDGETS,) = kinds_of(_definition())


def _widget(name: str) -> Object:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata}


class Stage:
    """A small API, and connections to it."""

    def __init__(self) -> None:
        broker = MemoryBroker()
        self.api = SmallApi(MemoryBus(broker, "api"))
        self.bus = MemoryBus(broker, "informers")
        self.client = BusClient(self.bus, "informers")

    @asynccontextmanager
    async def running(self, informers: Informers) -> AsyncIterator[asyncio.TaskGroup]:
        await self.api.serve()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(informers.run())
            await informers.synced()
            yield tasks
            running.cancel()


def test_a_kind_that_comes_is_cached_and_told_and_forgotten_a_minute_after_it_went() -> None:
    async def story() -> None:
        stage = Stage()
        informers = Informers(stage.bus, stage.client)
        kinds = CustomKinds(informers)
        told: list[str] = []
        kinds.on_kind(lambda informer: told.append(informer.kind.name))
        async with stage.running(informers):
            await stage.api.put(WIDGETS.collection, _widget("a"))
            await stage.api.put(DEFINITIONS.collection, _definition())
            await asyncio.sleep(1)
            assert told == ["Widget"]
            assert kinds.are_synced
            assert [name_of(each) for each in informers.view.list(WIDGETS)] == ["a"]
            await stage.api.remove(Key(DEFINITIONS.collection, "", "widgets.example.com"))
            await asyncio.sleep(30)
            assert [kind.name for kind in informers.view.custom_kinds()] == ["Widget"]
            await asyncio.sleep(40)
            assert informers.view.custom_kinds() == ()

    simulate(story())


def test_a_kind_that_went_before_it_was_cached_keeps_nobody_waiting() -> None:
    """Found by the conformance tests: namespaces did not end for a minute."""

    async def story() -> None:
        stage = Stage()
        informers = Informers(stage.bus, stage.client)
        kinds = CustomKinds(informers)

        def no_widgets(verb: str, subject: ApiSubject, request: Request) -> StatusError | None:
            return path_not_found() if subject.collection == WIDGETS.collection else None

        stage.api.refuse = no_widgets
        async with stage.running(informers):
            await stage.api.put(DEFINITIONS.collection, _definition())
            await asyncio.sleep(1)
            assert not kinds.are_synced
            await stage.api.remove(Key(DEFINITIONS.collection, "", "widgets.example.com"))
            await asyncio.sleep(1)
            assert kinds.are_synced

    simulate(story())


def test_a_controller_hears_of_kinds_that_come() -> None:
    seen: list[tuple[str, int]] = []

    def reconcile(obj: Object, view: View, now: datetime) -> Plan:
        seen.append((name_of(obj), len(view.custom_kinds())))
        return Plan()

    def wakes(obj: Object, view: View) -> list[Key]:
        return [Key(WIDGETS.collection, namespace_of(obj), name_of(obj))]

    everything = Controller(
        name="everything", reconciles=MAPS, reconcile=reconcile, watches_custom=lambda kind: (Watch(kind, wakes),)
    )

    async def story() -> None:
        stage = Stage()
        clock = SimulatedClock()
        recorder = Recorder(stage.client, clock)
        controllers = Controllers(
            stage.bus, stage.client, (everything,), clock=clock, random=Random(1), recorder=recorder
        )
        async with stage.running(controllers.informers) as tasks:
            working = tasks.create_task(controllers.work())
            await stage.api.put(WIDGETS.collection, _widget("early"))
            await stage.api.put(DEFINITIONS.collection, _definition())
            await asyncio.sleep(1)
            await stage.api.put(WIDGETS.collection, _widget("late"))
            await asyncio.sleep(1)
            working.cancel()

    simulate(story())
    assert seen == [("early", 1), ("late", 1)]
