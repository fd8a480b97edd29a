"""Leader election: one at a time, whatever clocks and networks do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client import Why
from kubus.client.over_bus import BusClient
from kubus.machinery.leases import (
    Elector,
    Observed,
    Terms,
    claim,
    is_predecessor,
    observe,
    released,
    terms_of,
    token_of,
)
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object
from kubus.testing.builders import config_map
from kubus.testing.clock import SimulatedClock, simulate
from kubus.testing.small_api import SmallApi

MAPS = Kind(group="", version="v1", name="ConfigMap", plural="configmaps", namespaced=True, schema="")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TERMS = Terms("scheduler", "me")
LEASE = Key("leases.coordination.k8s.io", "kube-system", "scheduler")


def lease(holder: str, renewed: str = "2026-01-01T12:00:00.000000Z", transitions: int = 3) -> Object:
    spec = {
        "holderIdentity": holder,
        "leaseDurationSeconds": 15,
        "renewTime": renewed,
        "leaseTransitions": transitions,
        "acquireTime": renewed,
    }
    return {
        "metadata": {"name": "scheduler", "namespace": "kube-system", "uid": "u", "resourceVersion": "5"},
        "spec": spec,
    }


def test_a_lease_that_is_not_there_is_made() -> None:
    made = claim(None, None, TERMS, 0.0, NOW)
    assert made is not None
    assert made["spec"]["holderIdentity"] == "me"
    assert token_of(made, TERMS) == ("kube-system", "scheduler", "me", 0)


@pytest.mark.parametrize(
    ("holder", "seen_seconds_ago", "taken", "transitions"),
    [
        ("me", 0, True, 3),
        ("me", 100, True, 3),
        ("other", 0, False, 3),
        ("other", 14.9, False, 3),
        ("other", 15, True, 4),
        ("", 0, True, 4),
    ],
)
def test_who_gets_a_lease(holder: str, seen_seconds_ago: float, taken: bool, transitions: int) -> None:
    there = lease(holder)
    seen = observe(there, None, 100.0 - seen_seconds_ago)
    wanted = claim(there, seen, TERMS, 100.0, NOW)
    assert (wanted is not None) is taken
    if wanted is not None:
        assert wanted["spec"]["holderIdentity"] == "me"
        assert wanted["spec"]["leaseTransitions"] == transitions
        assert wanted["metadata"]["resourceVersion"] == "5", "two candidates cannot both get it"


@pytest.mark.parametrize("renewed", ["1999-01-01T00:00:00.000000Z", "2050-01-01T00:00:00.000000Z"])
def test_the_holders_clock_says_nothing(renewed: str) -> None:
    there = lease("other", renewed)
    assert claim(there, observe(there, None, 100.0), TERMS, 101.0, NOW) is None


def test_a_change_of_the_record_begins_the_wait_anew() -> None:
    first = observe(lease("other"), None, 1.0)
    assert observe(lease("other"), first, 9.0).since == 1.0
    assert observe(lease("other", "2026-01-01T12:00:02.000000Z"), first, 9.0).since == 9.0
    assert isinstance(first, Observed)


def test_a_lease_given_back_is_free() -> None:
    free = released(lease("me"), TERMS, NOW)
    assert claim(free, observe(free, None, 0.0), Terms("scheduler", "next"), 0.0, NOW) is not None


MINE = Terms("scheduler", "host_scheduler_2", "host_scheduler")


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        ("host_scheduler_1", True),
        ("host_scheduler_2", False),
        ("other_scheduler_1", False),
        ("host_scheduler", False),
        ("host_scheduler-2_1", False),
        ("", False),
    ],
)
def test_a_predecessor_ran_under_the_same_name(holder: str, expected: bool) -> None:
    assert is_predecessor(holder, MINE) is expected
    there = lease(holder)
    seen = observe(there, None, 100.0)
    wanted = claim(there, seen, MINE, 100.0, NOW, inherit=True)
    assert (wanted is not None) is (expected or holder in ("", MINE.holder))
    if expected:
        assert wanted is not None and wanted["spec"]["leaseTransitions"] == 4, "a new term: the old one is fenced off"
        assert claim(there, seen, MINE, 100.0, NOW) is None, "who does not inherit waits"


def test_without_a_name_nobody_is_a_predecessor() -> None:
    assert not is_predecessor("_1", TERMS)


class Stage:
    """A small API and candidates for one Lease."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.api = SmallApi(MemoryBus(self.broker, "api"))
        self.leading: list[str] = []
        self.history: list[str] = []
        self.buses: dict[str, MemoryBus] = {}
        self.clocks: dict[str, SimulatedClock] = {}

    def candidate(self, name: str) -> tuple[Elector, BusClient]:
        self.buses[name] = MemoryBus(self.broker, name)
        self.clocks[name] = SimulatedClock()
        client = BusClient(self.buses[name], name, timeout_seconds=2, patience_seconds=4)
        return Elector(client, self.clocks[name], Terms("scheduler", name), Random(name)), client

    def restarted(self, name: str, epoch: int, states: list[str] | None = None) -> tuple[Elector, BusClient]:
        """A process of this name in another life."""
        bus = MemoryBus(self.broker, f"{name} {epoch}")
        client = BusClient(bus, name, timeout_seconds=2, patience_seconds=4)
        on_state = (states if states is not None else []).append
        terms = terms_of("scheduler", name, Random(epoch))
        return Elector(client, SimulatedClock(), terms, Random(epoch), on_state=on_state), client

    async def stand(self, name: str) -> None:
        elector, _ = self.candidate(name)
        await elector.run(lambda: self.work(name))

    async def work(self, name: str) -> None:
        assert not self.leading, f"{name} and {self.leading} lead at once"
        self.leading.append(name)
        self.history.append(name)
        try:
            await asyncio.sleep(10_000)
        finally:
            self.leading.remove(name)


def test_there_is_one_leader_and_the_next_takes_over_at_once_when_it_leaves() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        async with asyncio.TaskGroup() as tasks:
            running = {name: tasks.create_task(stage.stand(name)) for name in ("a", "b", "c")}
            await asyncio.sleep(30)
            [first] = stage.leading
            running[first].cancel()
            await asyncio.sleep(4)
            [second] = stage.leading
            assert second != first
            _, there = stage.api.objects[LEASE]
            assert there["spec"]["holderIdentity"] == second
            assert there["spec"]["leaseTransitions"] == 1
            for task in running.values():
                task.cancel()

    simulate(story())


def test_a_leader_without_a_bus_stops_before_the_next_one_starts() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(stage.stand(name)) for name in ("a", "b")]
            await asyncio.sleep(10)
            [first] = stage.leading
            stage.broker.disconnect(stage.buses[first])
            await asyncio.sleep(12.5)
            assert first not in stage.leading
            await asyncio.sleep(10)
            assert stage.leading and stage.leading != [first]
            stage.broker.reconnect(stage.buses[first])
            await asyncio.sleep(60)
            assert len(stage.leading) == 1
            assert len(stage.history) == 2
            for task in running:
                task.cancel()

    simulate(story())


def test_clocks_that_jump_change_no_leader() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(stage.stand(name)) for name in ("a", "b")]
            await asyncio.sleep(10)
            for clock, seconds in zip(stage.clocks.values(), (-86400, 86400), strict=True):
                clock.jump(seconds)
            await asyncio.sleep(100)
            assert len(stage.history) == 1
            for task in running:
                task.cancel()

    simulate(story())


def test_a_deposed_leaders_token_is_refused() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        elector, client = stage.candidate("old")
        tokens = []

        async def work() -> None:
            tokens.append(elector.fence())

        await elector.run(work)
        assert elector.fence() is None
        await stage.api.put(LEASE.collection, lease("new", transitions=1))
        with pytest.raises(StatusError, match="leadership"):
            await client.create(MAPS, config_map("m"), why=Why(fence=tokens[0]))

    simulate(story())


def test_a_process_that_was_killed_and_started_again_leads_at_once() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        dead, _ = stage.restarted("a", 1)
        assert await dead._try_to_hold(), "and never gives it back, nor renews it"
        again, _ = stage.restarted("a", 2)
        other, _ = stage.restarted("b", 3)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each.run(asyncio.Event().wait)) for each in (other, again)]
            await asyncio.sleep(1)
            assert again.leading and not other.leading
            for task in running:
                task.cancel()

    simulate(story())


def test_two_living_processes_of_one_name_do_not_take_the_lease_from_each_other() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        states: dict[int, list[str]] = {1: [], 2: []}
        (old, old_client), (new, new_client) = (stage.restarted("a", epoch, states[epoch]) for epoch in (1, 2))
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(old.run(asyncio.Event().wait))]
            await asyncio.sleep(5)
            assert old.leading
            running.append(tasks.create_task(new.run(asyncio.Event().wait)))
            await asyncio.sleep(0.5)
            assert new.leading
            with pytest.raises(StatusError, match="leadership"):
                await old_client.create(MAPS, config_map("from-the-old"), why=Why(fence=old.fence()))
            await new_client.create(MAPS, config_map("from-the-new"), why=Why(fence=new.fence()))
            for _ in range(60):
                await asyncio.sleep(2)
                assert new.leading and not old.leading
            assert states[1] == [
                "",
                *[f"waits for the lease scheduler, held by {new._terms.holder}"] * len(states[1][1:]),
            ]
            assert states[2] == [""]
            for task in running:
                task.cancel()

    simulate(story())
