"""Caches over the bus: filled, kept, and filled again when something was missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.subjects import beat_subject, collection_stream, event_subject
from kubus.bus.wire import encode_event
from kubus.client.over_bus import BusClient
from kubus.machinery.informer import Informer, Informers
from kubus.machinery.reflector import Changed
from kubus.model import errors
from kubus.model.kinds import Kind
from kubus.model.objects import Key, name_of
from kubus.testing.builders import pod
from kubus.testing.clock import simulate
from kubus.testing.faulty_bus import Faults, FaultyBus
from kubus.testing.small_api import SmallApi

PODS = Kind(group="", version="v1", name="Pod", plural="pods", namespaced=True, schema="")
NODES = Kind(group="", version="v1", name="Node", plural="nodes", namespaced=False, schema="")


class Stage:
    """A small API, and informers on it."""

    def __init__(self, faults: Faults | None = None, seed: int = 0) -> None:
        broker = MemoryBroker()
        self.broker = broker
        self.api = SmallApi(MemoryBus(broker, "api"), page_items=3)
        self.connection = MemoryBus(broker, "informers")
        self.bus = FaultyBus(self.connection, faults or Faults(), Random(seed))
        self.client = BusClient(self.connection, "informers")

    @asynccontextmanager
    async def running(self, informer: Informer | Informers, *, beats: bool = True) -> AsyncIterator[None]:
        await self.api.serve()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(informer.run())]
            if beats:
                running.append(tasks.create_task(self._beat()))
            await informer.synced()
            yield
            for task in running:
                task.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self.api.beat()


def test_it_holds_what_was_there_and_what_comes() -> None:
    async def story() -> None:
        stage = Stage()
        for number in range(10):
            await stage.api.put("pods.core", pod(f"p{number}"))
        informer = Informer(stage.bus, stage.client, PODS)
        changes: list[tuple[str, str]] = []
        informer.on_change(lambda changed: changes.append((changed.change, changed.key.name)))
        progress: list[int] = []
        informer.on_progress(lambda _, revision: progress.append(revision))
        async with stage.running(informer):
            assert len(informer.cache) == 10
            await stage.api.put("pods.core", pod("p3", labels={"a": "b"}))
            await stage.api.remove(Key("pods.core", "default", "p4"))
            await asyncio.sleep(1)
        assert changes[10:] == [("modified", "p3"), ("deleted", "p4")]
        assert progress[-1] == informer.cache.revision == stage.api.revision
        assert informer.listings == 1

    simulate(story())


def test_a_listener_hears_of_a_change_when_the_cache_has_it_and_until_it_leaves() -> None:
    async def story() -> None:
        stage = Stage()
        informer = Informer(stage.bus, stage.client, PODS)
        heard: list[Changed] = []

        def hear(changed: Changed) -> None:
            assert informer.cache.at(changed.key) is changed.object
            heard.append(changed)

        def fail(changed: Changed) -> None:
            raise ValueError("a listener's own trouble")

        informer.on_change(fail)
        leave = informer.on_change(hear)
        async with stage.running(informer):
            await stage.api.put("pods.core", pod("a"))
            await asyncio.sleep(1)
            leave()
            await stage.api.put("pods.core", pod("b"))
            await asyncio.sleep(1)
        assert [changed.key.name for changed in heard] == ["a"]

    simulate(story())


def test_a_nodes_slice_holds_the_nodes_pods_only() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.put("pods.core", pod("mine", node="n1"))
        await stage.api.put("pods.core", pod("theirs", node="n2"))
        informer = Informer(stage.bus, stage.client, PODS, node="n1")
        async with stage.running(informer):
            await stage.api.put("pods.core", pod("mine-too", node="n1"))
            await stage.api.put("pods.core", pod("theirs-too", node="n2"))
            await asyncio.sleep(5)
            assert {name_of(each) for each in informer.cache} == {"mine", "mine-too"}
            assert informer.listings == 1, "beats of the whole collection are none of its business"

    simulate(story())


def test_the_loss_of_the_last_event_is_noticed_within_two_beats() -> None:
    async def story() -> None:
        faults = Faults()
        stage = Stage(faults)
        informer = Informer(stage.bus, stage.client, PODS)
        async with stage.running(informer):
            await stage.api.put("pods.core", pod("seen"))
            await asyncio.sleep(0.01)
            faults.lose = 1.0
            await stage.api.put("pods.core", pod("lost"))
            await asyncio.sleep(0.01)
            faults.stop()
            await asyncio.sleep(2.5)
            assert {name_of(each) for each in informer.cache} == {"seen", "lost"}

    simulate(story())


def test_a_lost_connection_is_made_good() -> None:
    async def story() -> None:
        stage = Stage()
        informer = Informer(stage.bus, stage.client, PODS)
        async with stage.running(informer, beats=False):
            stage.broker.disconnect(stage.connection)
            await stage.api.put("pods.core", pod("meanwhile"))
            await asyncio.sleep(3)
            assert not len(informer.cache)
            stage.broker.reconnect(stage.connection)
            await asyncio.sleep(1)
            assert len(informer.cache) == 1

    simulate(story())


def test_an_apiserver_that_cannot_list_is_asked_until_it_can() -> None:
    async def story() -> None:
        stage = Stage()
        stage.api.refuse = lambda verb, subject, request: errors.internal("not now")
        await stage.api.put("pods.core", pod("a"))
        informer = Informer(stage.bus, stage.client, PODS)
        async with asyncio.TaskGroup() as tasks:
            await stage.api.serve()
            running = tasks.create_task(informer.run())
            await asyncio.sleep(30)
            assert not informer.is_synced
            assert len(stage.api.requests) < 20
            stage.api.refuse = None
            await asyncio.sleep(6)
            assert informer.is_synced
            running.cancel()

    simulate(story())


def test_what_is_no_event_makes_it_list_again() -> None:
    async def story() -> None:
        stage = Stage()
        informer = Informer(stage.bus, stage.client, PODS)
        async with stage.running(informer):
            await stage.connection.publish(event_subject(Key("pods.core", "default", "a")), b"\xc1")
            await stage.connection.publish(beat_subject(collection_stream("pods.core")), b"\xc1")
            await asyncio.sleep(1)
            assert informer.listings == 2

    simulate(story())


def test_one_informer_serves_everyone_who_asks_for_the_collection() -> None:
    async def story() -> None:
        stage = Stage()
        informers = Informers(stage.bus, stage.client)
        assert informers.of(PODS) is informers.of(PODS)
        informers.of(NODES)
        async with stage.running(informers):
            await stage.api.put("pods.core", pod("a"))
            await asyncio.sleep(1)
            assert name_of(informers.view.get(PODS, "default", "a") or {}) == "a"
            assert informers.view.list(NODES) == []

    simulate(story())


@pytest.mark.parametrize("seed", range(10))
def test_under_faults_the_cache_ends_as_the_truth(seed: int) -> None:
    async def story() -> None:
        faults, random = Faults(lose=0.15, repeat=0.1, delay=0.2, disturb=0.03), Random(seed)
        stage = Stage(faults, seed)
        informer = Informer(stage.bus, stage.client, PODS)
        mirror: dict[Key, str] = {}

        def follow(changed: Changed) -> None:
            if changed.change == "deleted":
                del mirror[changed.key]
            else:
                mirror[changed.key] = changed.object["metadata"]["resourceVersion"]

        informer.on_change(follow)
        async with stage.running(informer):
            for _ in range(300):
                key = Key("pods.core", "default", f"p{random.randrange(12)}")
                if key in stage.api.objects and random.random() < 0.4:
                    await stage.api.remove(key)
                else:
                    await stage.api.put("pods.core", pod(key.name, labels={"n": str(random.random())}))
                if random.random() < 0.3:
                    await asyncio.sleep(random.random())
            faults.stop()
            await asyncio.sleep(10)
            truth = {key: str(revision) for key, (revision, _) in stage.api.objects.items()}
            assert mirror == truth, f"seed {seed}"
            assert {key: informer.cache.at(key) is not None for key in truth} == dict.fromkeys(truth, True)
            assert len(informer.cache) == len(truth)

    simulate(story())


async def _publish_raw(stage: Stage, name: str, obj: object) -> None:
    """An event as the relay sends it of whatever stands in the store."""
    api, key = stage.api, Key("pods.core", "default", name)
    api.revision += 1
    previous = api._newest[collection_stream("pods.core")]
    api._newest[collection_stream("pods.core")] = api.revision
    data = encode_event("modified", api.revision, previous, {}, obj)  # type: ignore[arg-type]  # it is corrupt
    await api._bus.publish(event_subject(key), data)


CORRUPT = [None, [], "x", {}, {"metadata": []}, {**pod("p1"), "spec": 5}, {**pod("p1"), "status": ["x"]}]


@pytest.mark.parametrize("obj", CORRUPT)
def test_an_object_of_the_wrong_shape_is_quarantined_and_its_last_good_state_kept(obj: object) -> None:
    async def story() -> None:
        stage = Stage()
        for number in range(3):
            await stage.api.put("pods.core", pod(f"p{number}", labels={"n": str(number)}))
        told: list[tuple[str, str]] = []
        informer = Informer(
            stage.bus,
            stage.client,
            PODS,
            on_quarantine=lambda kind, obj, reason: told.append((kind.name, name_of(obj))),
        )
        changes: list[tuple[str, str]] = []
        informer.on_change(lambda changed: changes.append((changed.change, changed.key.name)))
        async with stage.running(informer):
            await _publish_raw(stage, "p1", obj)
            await _publish_raw(stage, "new", obj)
            await stage.api.put("pods.core", pod("p2", labels={"a": "b"}))
            await asyncio.sleep(5)
            assert told == [("Pod", "p1"), ("Pod", "new")]
            assert {key.name for key in informer.quarantined} == {"p1", "new"}
            assert {name_of(each) for each in informer.cache} == {"p0", "p1", "p2"}
            assert informer.listings == 1
            await stage.api.put("pods.core", pod("p1", labels={"mended": "yes"}))
            await asyncio.sleep(1)
            assert {key.name for key in informer.quarantined} == {"new"}
        assert changes[3:] == [("modified", "p2"), ("modified", "p1")]

    simulate(story())


def test_what_the_apiserver_cannot_read_is_kept_as_it_was_when_the_collection_is_listed_again() -> None:
    async def story() -> None:
        stage = Stage()
        for name in ("a", "b"):
            await stage.api.put("pods.core", pod(name))
        informer = Informer(stage.bus, stage.client, PODS)
        async with stage.running(informer):
            del stage.api.objects[Key("pods.core", "default", "b")]
            stage.api.unreadable.append(Key("pods.core", "default", "b"))
            stage.broker.disconnect(stage.connection)
            stage.broker.reconnect(stage.connection)
            await asyncio.sleep(5)
            assert informer.listings == 2
            assert {name_of(each) for each in informer.cache} == {"a", "b"}
            assert {key.name for key in informer.quarantined} == {"b"}
            await stage.api.put("pods.core", pod("b", labels={"mended": "yes"}))
            stage.api.unreadable.clear()
            await asyncio.sleep(1)
            assert not informer.quarantined

    simulate(story())


def test_an_object_on_which_an_index_or_a_listener_fails_is_quarantined_and_all_others_are_served() -> None:
    async def story() -> None:
        stage = Stage()
        informer = Informer(stage.bus, stage.client, PODS)
        informer.cache.add_index("phase", lambda obj: [obj["status"]["phase"]])
        heard: list[str] = []

        def listen(changed: Changed) -> None:
            if changed.key.name == "bad":
                raise KeyError("nothing good")
            heard.append(changed.key.name)

        informer.on_change(listen)
        async with stage.running(informer):
            await stage.api.put("pods.core", pod("p1", phase="Running"))
            await stage.api.put("pods.core", pod("p1"))
            await stage.api.put("pods.core", pod("bad", phase="Running"))
            await stage.api.put("pods.core", pod("p2", phase="Running"))
            await asyncio.sleep(1)
            assert {key.name for key in informer.quarantined} == {"p1", "bad"}
            assert len(informer.cache.indexed("phase", "Running")) == 3
        assert heard == ["p1", "p2"]

    simulate(story())
