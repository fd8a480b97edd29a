"""Controllers on a small API over a bus, in simulated time, with and without faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random

import pytest

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.subjects import ApiSubject
from kubus.bus.wire import Request
from kubus.client.over_bus import BusClient
from kubus.machinery.controller import Controllers
from kubus.machinery.plans import CONVERGED, Controller, Create, Delete, Index, Patch, Plan, SetStatus, View, Watch
from kubus.machinery.recorder import Recorder
from kubus.model import errors
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object, labels_of, name_of, namespace_of, path_of, revision_of, uid_of
from kubus.testing.builders import config_map, pod, replicaset
from kubus.testing.clock import SimulatedClock, simulate
from kubus.testing.faulty_bus import Faults, FaultyBus
from kubus.testing.small_api import SmallApi

PODS = Kind(group="", version="v1", name="Pod", plural="pods", namespaced=True, schema="")
SETS = Kind(group="apps", version="v1", name="ReplicaSet", plural="replicasets", namespaced=True, schema="")
MAPS = Kind(group="", version="v1", name="ConfigMap", plural="configmaps", namespaced=True, schema="")


def keep_replicas(obj: Object, view: View, now: datetime) -> Plan:
    """A ReplicaSet reduced to the point: so many pods, and their number in the status."""
    mine = {name_of(each): each for each in view.owned(PODS, uid_of(obj))}
    wanted = {f"{name_of(obj)}-{number}" for number in range(obj["spec"]["replicas"])}
    create = [Create(PODS, pod(name, namespace_of(obj), owner=obj)) for name in sorted(wanted) if name not in mine]
    delete = [Delete(PODS, namespace_of(obj), name, uid_of(mine[name])) for name in sorted(mine) if name not in wanted]
    if create or delete:
        return Plan((*create, *delete))
    if path_of(obj, "status", "replicas") != len(mine):
        return Plan((SetStatus(SETS, {**obj, "status": {"replicas": len(mine)}}),))
    return CONVERGED


REPLICAS = Controller(name="replicas", reconciles=SETS, reconcile=keep_replicas, owns=(PODS,))


class Cluster:
    """A small API, and controllers at work on it."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        broker = MemoryBroker()
        self.api = SmallApi(MemoryBus(broker, "api"))
        self.bus = FaultyBus(MemoryBus(broker, "controllers"), faults, Random(seed))
        self.client = BusClient(self.bus, "controllers")
        self.clock = SimulatedClock()
        self.recorder = Recorder(self.client, self.clock)
        self.random = Random(seed)

    @asynccontextmanager
    async def running(self, *controllers: Controller) -> AsyncIterator[Controllers]:
        await self.api.serve()
        machinery = Controllers(
            self.bus, self.client, controllers, clock=self.clock, random=self.random, recorder=self.recorder
        )
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(each)
                for each in (machinery.informers.run(), machinery.work(), self.recorder.run(), self._beat())
            ]
            yield machinery
            for task in running:
                task.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self.api.beat()

    def names(self, collection: str) -> list[str]:
        return sorted(key.name for key in self.api.objects if key.collection == collection)


def cluster(faults: Faults | None = None, seed: int = 1) -> Cluster:
    return Cluster(faults or Faults(), seed)


def test_what_is_declared_comes_to_be_and_is_kept_so() -> None:
    async def story() -> None:
        world = cluster()
        await world.api.put("replicasets.apps", replicaset("web", replicas=3))
        async with world.running(REPLICAS):
            await asyncio.sleep(1)
            assert world.names("pods.core") == ["web-0", "web-1", "web-2"]
            await world.api.remove(Key("pods.core", "default", "web-1"))
            await asyncio.sleep(1)
            assert world.names("pods.core") == ["web-0", "web-1", "web-2"]
            _, web = world.api.objects[Key("replicasets.apps", "default", "web")]
            assert web["status"] == {"replicas": 3}
            await world.api.put("replicasets.apps", {**web, "spec": {**web["spec"], "replicas": 1}})
            await asyncio.sleep(1)
            assert world.names("pods.core") == ["web-0"]

    simulate(story())


def test_nothing_is_written_twice_because_a_key_is_held_until_the_cache_has_seen_its_writes() -> None:
    async def story() -> None:
        world = cluster()
        await world.api.put("replicasets.apps", replicaset("web", replicas=50))
        async with world.running(REPLICAS):
            await asyncio.sleep(5)
        creations = [request for subject, request in world.api.requests if subject.verb == "create"]
        assert len(creations) == 50

    simulate(story())


def test_writes_name_their_cause_and_manager() -> None:
    async def story() -> None:
        world = cluster()
        async with world.running(REPLICAS):
            await asyncio.sleep(1)
            await world.api.put("replicasets.apps", replicaset("web", replicas=1))
            cause = world.api.revision
            await asyncio.sleep(1)
        [(_, request)] = [each for each in world.api.requests if each[0].verb == "create"]
        assert (request.cause, request.field_manager) == (cause, "replicas")

    simulate(story())


@pytest.mark.parametrize("seed", range(8))
def test_faults_cost_time_and_nothing_else(seed: int) -> None:
    async def story() -> None:
        world = cluster(Faults(lose=0.2, repeat=0.1, delay=0.2, disturb=0.02), seed)
        async with world.running(REPLICAS) as machinery:
            for number in range(6):
                await world.api.put("replicasets.apps", replicaset(f"set{number}", replicas=number))
                await asyncio.sleep(0.7)
            await asyncio.sleep(10)
            await world.api.remove(Key("pods.core", "default", "set5-0"))
            await asyncio.sleep(10)
            world.faults.stop()
            await asyncio.sleep(60)
            expected = sorted(f"set{number}-{each}" for number in range(6) for each in range(number))
            assert world.names("pods.core") == expected
            cached = sorted(name_of(each) for each in machinery.informers.of(PODS).cache)
            assert cached == expected, f"the cache equals the truth (seed {seed})"
            for number in range(6):
                _, obj = world.api.objects[Key("replicasets.apps", "default", f"set{number}")]
                assert path_of(obj, "status", "replicas", default=0) == number

    simulate(story())


def test_an_apiserver_that_refuses_is_asked_again_less_and_less_often() -> None:
    async def story() -> None:
        world = cluster()
        quota = errors.forbidden("pods", "", "", "exceeded quota")
        world.api.refuse = lambda verb, subject, _: quota if subject[1:] == ("create", "pods.core") else None
        await world.api.put("replicasets.apps", replicaset("web", replicas=5))
        async with world.running(REPLICAS):
            await asyncio.sleep(60)
            tries = sum(1 for subject, _ in world.api.requests if subject[1:] == ("create", "pods.core"))
            assert 5 < tries < 20, "one pod a try, as the first refusal ends the plan"
            [event] = [obj for key, (_, obj) in world.api.objects.items() if key.collection == "events.core"]
            assert event["reason"] == "FailedCreate"
            assert event["count"] > 1
            world.api.refuse = None
            await asyncio.sleep(100)
            assert len(world.names("pods.core")) == 5

    simulate(story())


def test_conflicts_are_everyday() -> None:
    async def story() -> None:
        world = cluster()
        refusals = iter([errors.conflict("replicasets", "apps", "web")] * 3)

        def conflict(verb: str, subject: ApiSubject, request: Request) -> StatusError | None:
            return next(refusals, None) if verb == "update" else None

        world.api.refuse = conflict
        await world.api.put("replicasets.apps", replicaset("web", replicas=1))
        async with world.running(REPLICAS):
            await asyncio.sleep(2)
            _, web = world.api.objects[Key("replicasets.apps", "default", "web")]
            assert web["status"] == {"replicas": 1}

    simulate(story())


def test_a_watch_wakes_what_its_object_concerns_by_an_index() -> None:
    def stamp(obj: Object, view: View, now: datetime) -> Plan:
        value = "".join(each["data"]["value"] for each in view.indexed(MAPS, "for", name_of(obj)))
        if labels_of(obj).get("stamp", "") == value:
            return CONVERGED
        return Plan((Patch(PODS, namespace_of(obj), name_of(obj), {"metadata": {"labels": {"stamp": value}}}),))

    controller = Controller(
        name="stamper",
        reconciles=PODS,
        reconcile=stamp,
        watches=(Watch(MAPS, lambda obj, view: [Key("pods.core", "default", obj["data"]["for"])]),),
        indexes=(Index(MAPS, "for", lambda obj: [obj["data"]["for"]]),),
    )

    async def story() -> None:
        world = cluster()
        await world.api.put("pods.core", pod("a"))
        await world.api.put("pods.core", pod("b"))
        async with world.running(controller):
            await asyncio.sleep(1)
            await world.api.put("configmaps.core", config_map("m", data={"for": "a", "value": "x"}))
            await asyncio.sleep(1)
            assert labels_of(world.api.objects[Key("pods.core", "default", "a")][1]) == {"stamp": "x"}
            await world.api.put("configmaps.core", config_map("m", data={"for": "b", "value": "y"}))
            await asyncio.sleep(1)
            assert labels_of(world.api.objects[Key("pods.core", "default", "a")][1]) == {"stamp": ""}
            assert labels_of(world.api.objects[Key("pods.core", "default", "b")][1]) == {"stamp": "y"}

    simulate(story())


def test_a_new_leader_looks_at_what_its_predecessor_was_woken_by() -> None:
    """Found by a seed: what belonged to something deleted stayed, when the leader died in between."""
    seen: list[Key] = []

    def note(obj: Object, view: View, now: datetime) -> Plan:
        seen.append(Key("configmaps.core", namespace_of(obj), name_of(obj)))
        return CONVERGED

    async def story() -> None:
        world = cluster()
        await world.api.put("configmaps.core", config_map("orphan"))
        controller = Controller(
            name="noter",
            reconciles=PODS,
            reconcile=note,
            watches=(Watch(MAPS, lambda obj, view: [Key("configmaps.core", namespace_of(obj), name_of(obj))]),),
        )
        async with world.running(controller):
            await asyncio.sleep(1)

    simulate(story())
    assert seen == [Key("configmaps.core", "default", "orphan")]


def test_what_a_key_that_woke_by_itself_writes_is_caused_by_its_object() -> None:
    """Found by a seed: a node that fell silent was tainted without a cause."""
    looks: list[int] = []

    def stamp_later(obj: Object, view: View, now: datetime) -> Plan:
        looks.append(revision_of(obj))
        if len(looks) != 2:
            return Plan(again_after=timedelta(seconds=30)) if len(looks) == 1 else CONVERGED
        return Plan((Patch(PODS, namespace_of(obj), name_of(obj), {"metadata": {"labels": {"late": "yes"}}}),))

    async def story() -> list[Request]:
        world = cluster()
        await world.api.put("pods.core", pod("a"))
        async with world.running(Controller(name="later", reconciles=PODS, reconcile=stamp_later)):
            await asyncio.sleep(60)
        return [request for subject, request in world.api.requests if subject.verb == "patch"]

    [request] = simulate(story())
    assert request.cause == looks[1]


def test_again_after_comes_again_without_a_change() -> None:
    seen: list[datetime] = []

    def tick(obj: Object, view: View, now: datetime) -> Plan:
        seen.append(now)
        return Plan(again_after=timedelta(seconds=30))

    async def story() -> None:
        world = cluster()
        await world.api.put("pods.core", pod("a"))
        async with world.running(Controller(name="ticker", reconciles=PODS, reconcile=tick)):
            await asyncio.sleep(95)

    simulate(story())
    assert [round((each - seen[0]).total_seconds()) for each in seen] == [0, 30, 60, 90]


def test_a_reconciler_that_raises_is_tried_again_and_stops_no_other() -> None:
    calls = 0

    def broken(obj: Object, view: View, now: datetime) -> Plan:
        nonlocal calls
        calls += 1
        raise KeyError("spec")

    async def story() -> None:
        world = cluster()
        await world.api.put("replicasets.apps", replicaset("web", replicas=1))
        async with world.running(Controller(name="broken", reconciles=SETS, reconcile=broken), REPLICAS):
            await asyncio.sleep(60)
            assert world.names("pods.core") == ["web-0"]

    simulate(story())
    assert 5 < calls < 30


@pytest.mark.parametrize("made", [[], "x", None])
def test_a_plan_that_makes_no_sense_is_tried_again_and_stops_no_other(made) -> None:
    """As many as the controller works on at a time fail over and over: none of its places is lost."""
    calls = 0

    def broken(obj: Object, view: View, now: datetime) -> Plan:
        nonlocal calls
        if name_of(obj) == "web":
            return keep_replicas(obj, view, now)
        calls += 1
        return Plan((Create(PODS, made),))

    async def story() -> None:
        world = cluster()
        await world.api.put("replicasets.apps", replicaset("a", replicas=1))
        await world.api.put("replicasets.apps", replicaset("b", replicas=1))
        controller = Controller(name="broken", reconciles=SETS, reconcile=broken, owns=(PODS,), concurrency=2)
        async with world.running(controller):
            await asyncio.sleep(60)
            await world.api.put("replicasets.apps", replicaset("web", replicas=1))
            await asyncio.sleep(60)
            assert world.names("pods.core") == ["web-0"]

    simulate(story())
    assert 10 < calls < 80
