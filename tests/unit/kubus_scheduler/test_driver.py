"""The driver in simulated time: pods get bound, through errors, faults and changes of leadership."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.subjects import ApiSubject
from kubus.bus.wire import Request
from kubus.client import FenceToken
from kubus.client.over_bus import BusClient
from kubus.machinery.informer import Informers
from kubus.machinery.reflector import Changed
from kubus.model import errors
from kubus.model.errors import StatusError
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key, Object, name_of, path_of, uid_of
from kubus.testing.builders import node, pod
from kubus.testing.clock import START, SimulatedClock, simulate
from kubus.testing.faulty_bus import Faults, FaultyBus
from kubus.testing.small_api import SmallApi
from kubus_scheduler.core import Scheduler
from kubus_scheduler.driver import Driver, unschedulable_condition


class Api(SmallApi):
    """With the binding subresource. `lost` bindings are carried out and then answered with an error."""

    lost: Callable[[str], bool] = staticmethod(lambda name: False)

    async def _do(self, subject: ApiSubject, request: Request) -> Any:
        if request.subresource != "binding":
            return await super()._do(subject, request)
        key = Key("pods.core", request.object["metadata"]["namespace"], request.name)
        _, there = self._there(key)
        if path_of(there, "spec", "nodeName") or uid_of(there) != request.object["metadata"]["uid"]:
            raise errors.conflict("pods", "", request.name)
        target = request.object["target"]["name"]
        await self.put("pods.core", {**there, "spec": {**there["spec"], "nodeName": target}})
        if self.lost(request.name):
            raise errors.timeout("no answer")
        return {"kind": "Status", "status": "Success"}

    def pods(self) -> dict[str, Object]:
        return {key.name: obj for key, (_, obj) in self.objects.items() if key.collection == "pods.core"}

    def places(self) -> dict[str, str]:
        return {name: path_of(obj, "spec", "nodeName", default="") for name, obj in self.pods().items()}


class Events:
    """A recorder that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []

    def record(self, about: Object, reason: str, message: str, type_: str, source: str) -> None:
        self.said.append((name_of(about), reason, message))


class Stage:
    """An API, and a scheduler that leads."""

    def __init__(self, faults: Faults | None = None) -> None:
        broker = MemoryBroker()
        self.api = Api(MemoryBus(broker, "api"))
        self.connection = MemoryBus(broker, "scheduler")
        self.bus = FaultyBus(self.connection, faults or Faults(), Random(1))
        self.client = BusClient(self.connection, "scheduler", timeout_seconds=2.0)
        self.events = Events()
        self.informers = Informers(self.bus, self.client)
        self.fence: FenceToken | None = None
        self.driver = Driver(Scheduler(Random(1)), self.client, self.events, SimulatedClock(), lambda: self.fence)
        self.pods = self.informers.of(PODS)
        self.pods.on_change(self.driver.heard_pod)
        self.informers.of(NODES).on_change(self.driver.heard_node)
        self.informers.of(NAMESPACES).on_change(self.driver.heard_namespace)

    async def nodes(self, count: int, **more: Any) -> None:
        for number in range(count):
            await self.api.put("nodes.core", node(f"n{number}", **more))

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        await self.api.serve()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self.informers.run()), tasks.create_task(self._beat())]
            await self.informers.synced()
            running.append(tasks.create_task(self.driver.lead(self.pods.cache)))
            yield
            for task in running:
                task.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self.api.beat()


def asking(cpu: str) -> dict[str, str]:
    return {"cpu": cpu, "memory": "1Mi"}


def test_waiting_pods_are_bound_evenly_and_events_say_so() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.nodes(3)
        for number in range(6):
            await stage.api.put("pods.core", pod(f"p{number}", requests=asking("100m")))
        async with stage.leading():
            await asyncio.sleep(1)
        places = stage.api.places()
        assert sorted(places.values()) == ["n0", "n0", "n1", "n1", "n2", "n2"]
        assert ("p0", "Scheduled", f"Successfully assigned default/p0 to {places['p0']}") in stage.events.said

    simulate(story())


def test_a_binding_names_its_cause_and_carries_the_fence() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.put(
            "leases.coordination.k8s.io",
            {
                "metadata": {"name": "l", "namespace": "kube-system"},
                "spec": {"holderIdentity": "me", "leaseTransitions": 3},
            },
        )
        stage.fence = ("kube-system", "l", "me", 3)
        await stage.nodes(1)
        await stage.api.put("pods.core", pod("p"))
        revision = stage.api.revision
        async with stage.leading():
            await asyncio.sleep(1)
        (binding,) = [request for _, request in stage.api.requests if request.subresource == "binding"]
        assert binding.cause == revision
        assert tuple(binding.fence) == stage.fence
        assert stage.api.places() == {"p": "n0"}

    simulate(story())


def test_a_pod_that_fits_nowhere_is_told_once_and_bound_when_room_comes() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.nodes(1, cpu="1")
        await stage.api.put("pods.core", pod("p", requests=asking("2")))
        async with stage.leading():
            await asyncio.sleep(700)
            (condition,) = stage.api.pods()["p"]["status"]["conditions"]
            assert condition["reason"] == "Unschedulable"
            assert condition["message"].startswith("0/1 nodes are available: 1 Insufficient cpu.")
            patches = [request for subject, request in stage.api.requests if subject.verb == "patch"]
            assert len(patches) == 1
            assert len([reason for _, reason, _ in stage.events.said if reason == "FailedScheduling"]) >= 2
            await stage.api.put("nodes.core", node("big", cpu="8"))
            await asyncio.sleep(1)
        assert stage.api.places() == {"p": "big"}

    simulate(story())


def test_room_that_a_deleted_pod_leaves_is_taken_by_one_that_waits() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.nodes(1, cpu="1")
        await stage.api.put("pods.core", pod("old", node="n0", requests=asking("1")))
        await stage.api.put("pods.core", pod("new", requests=asking("1")))
        async with stage.leading():
            await asyncio.sleep(20)
            assert stage.api.places()["new"] == ""
            await stage.api.remove(Key("pods.core", "default", "old"))
            await asyncio.sleep(1)
        assert stage.api.places() == {"new": "n0"}

    simulate(story())


@pytest.mark.parametrize(
    "change",
    [{"schedulerName": "mine"}, {"schedulingGates": [{"name": "wait"}]}],
)
def test_pods_of_others_and_pods_behind_gates_are_left_alone(change: dict[str, Any]) -> None:
    async def story() -> None:
        stage = Stage()
        await stage.nodes(1)
        held = pod("p")
        await stage.api.put("pods.core", {**held, "spec": {**held["spec"], **change}})
        async with stage.leading():
            await asyncio.sleep(5)
            assert stage.api.places() == {"p": ""}
            await stage.api.put("pods.core", held)
            await asyncio.sleep(1)
        assert stage.api.places() == {"p": "n0"}

    simulate(story())


def test_a_binding_that_was_refused_is_tried_again_after_a_while() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.nodes(2)
        await stage.api.put("pods.core", pod("p"))
        refusals: list[float] = []

        def refuse(verb: str, subject: ApiSubject, request: Request) -> StatusError | None:
            if request.subresource == "binding" and len(refusals) < 3:
                refusals.append(asyncio.get_running_loop().time())
                return errors.internal("not now")
            return None

        stage.api.refuse = refuse
        async with stage.leading():
            await asyncio.sleep(20)
        assert stage.api.places()["p"]
        assert [round(later - sooner) for sooner, later in pairwise(refusals)] == [1, 2]

    simulate(story())


def test_a_binding_that_seemed_to_fail_but_had_happened_counts() -> None:
    async def story() -> None:
        stage = Stage()
        stage.api.lost = lambda name: True
        await stage.nodes(4, cpu="1")
        for number in range(4):
            await stage.api.put("pods.core", pod(f"p{number}", requests=asking("1")))
        async with stage.leading():
            await asyncio.sleep(5)
        assert sorted(stage.api.places().values()) == ["n0", "n1", "n2", "n3"]
        assert len([request for _, request in stage.api.requests if request.subresource == "binding"]) == 4

    simulate(story())


def test_a_pod_deleted_under_way_leaves_its_room() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.nodes(1, cpu="1")

        def refuse(verb: str, subject: ApiSubject, request: Request) -> StatusError | None:
            missing = request.name == "ghost" and verb in ("create", "get")
            return errors.not_found("pods", "", "ghost") if missing else None

        stage.api.refuse = refuse
        await stage.api.put("pods.core", pod("ghost", requests=asking("1")))
        async with stage.leading():
            await asyncio.sleep(1)
            await stage.api.put("pods.core", pod("p", requests=asking("1")))
            await asyncio.sleep(1)
        assert stage.api.places()["p"] == "n0"

    simulate(story())


def test_a_new_leader_knows_bindings_it_has_not_heard_of() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.nodes(1, cpu="1")
        await stage.api.serve()
        async with asyncio.TaskGroup() as tasks:
            informing = tasks.create_task(stage.informers.run())
            await stage.informers.synced()
            informing.cancel()
        await stage.api.put("pods.core", pod("unheard", node="n0", requests=asking("1")))
        await stage.api.put("pods.core", pod("late", requests=asking("1")))
        async with asyncio.TaskGroup() as tasks:
            leading = tasks.create_task(stage.driver.lead(stage.pods.cache))
            await asyncio.sleep(5)
            leading.cancel()
        assert stage.api.places()["late"] == ""

    simulate(story())


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_bus_does_no_node_is_overcommitted_and_every_pod_ends_up_somewhere(seed: int) -> None:
    async def story() -> None:
        random = Random(seed)
        faults = Faults(lose=0.05, repeat=0.05, delay=0.05)
        stage = Stage(faults)
        stage.api.lost = lambda name: random.random() < 0.1
        await stage.nodes(10, cpu="4", pods="10")
        async with stage.leading():
            for number in range(60):
                await stage.api.put("pods.core", pod(f"p{number}", requests=asking("1")))
                if random.random() < 0.5:
                    victim = random.choice(sorted(stage.api.pods()))
                    await stage.api.remove(Key("pods.core", "default", victim))
                await asyncio.sleep(random.random())
                crowd: dict[str, int] = {}
                for where in stage.api.places().values():
                    crowd[where] = crowd.get(where, 0) + 1
                crowd.pop("", None)
                assert max(crowd.values(), default=0) <= 4, crowd
            faults.stop()
            await asyncio.sleep(30)
        assert all(stage.api.places().values()), stage.api.places()

    simulate(story())


def test_the_condition_keeps_its_time_while_only_the_words_change() -> None:
    first = unschedulable_condition({}, "a", START)
    assert first is not None
    said = {"status": {"conditions": [first]}}
    assert unschedulable_condition(said, "a", START) is None
    second = unschedulable_condition(said, "b", START.replace(hour=20))
    assert second is not None
    assert second["lastTransitionTime"] == first["lastTransitionTime"]


async def test_a_store_that_went_back_is_believed() -> None:
    driver = Driver(Scheduler(Random(1)), None, Events(), SimulatedClock(), lambda: None)  # type: ignore[arg-type]  # nothing is sent
    key = Key("pods.core", "default", "p")

    def at(revision: int, node_name: str) -> Object:
        return pod("p", node=node_name, uid="u", resourceVersion=str(revision))

    driver.heard_node(Changed("added", Key("nodes.core", "", "n"), node("n"), None, 1))
    driver.heard_pod(Changed("added", key, at(9, "n"), None, 9))
    driver.heard_pod(Changed("modified", key, at(3, ""), at(9, "n"), 3))
    assert [type(each).__name__ for each in driver.core.decide(0.0, 5)] == ["Bind"]
