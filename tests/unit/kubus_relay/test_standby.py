"""Which of several relays publishes."""

from __future__ import annotations

import asyncio
from random import Random

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client.over_bus import BusClient
from kubus.testing.clock import SimulatedClock, simulate
from kubus.testing.small_api import SmallApi
from kubus_relay.standby import LEASE_SECONDS, LOOK_SECONDS, Standby, standby_terms


class World:
    """An API, and relays that note in `working` whether they publish."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.broker = MemoryBroker()
        self.working: set[str] = set()
        self.waiting: list[str] = []
        self.unable: set[str] = set()
        self.lives = 0

    def standby(self, name: str) -> Standby:
        self.lives += 1
        terms = standby_terms(name, Random(self.lives))
        client = BusClient(MemoryBus(self.broker, name), name, timeout_seconds=2.0, patience_seconds=0.0)
        return Standby(client, self.clock, terms, able=lambda: name not in self.unable)

    async def run(self, name: str) -> None:
        async def work() -> None:
            self.working.add(name)
            try:
                await asyncio.Event().wait()
            finally:
                self.working.discard(name)

        await self.standby(name).run(work, on_waiting=lambda what: self.waiting.append(f"{name} {what}"))


def test_without_an_apiserver_everybody_publishes_at_once():
    async def story() -> set[str]:
        world = World()
        async with asyncio.TaskGroup() as group:
            relays = [group.create_task(world.run(name)) for name in ("a", "b")]
            await asyncio.sleep(0.1)
            working = set(world.working)
            for relay in relays:
                relay.cancel()
        return working

    assert simulate(story()) == {"a", "b"}


def test_the_second_relay_stands_by_and_takes_over_when_the_first_ends():
    async def story() -> list[set[str]]:
        world = World()
        await SmallApi(MemoryBus(world.broker, "apiserver")).serve()
        seen = []
        async with asyncio.TaskGroup() as group:
            first = group.create_task(world.run("a"))
            await asyncio.sleep(1)
            second = group.create_task(world.run("b"))
            await asyncio.sleep(60)
            seen.append(set(world.working))
            first.cancel()
            await asyncio.sleep(2 * LOOK_SECONDS)
            seen.append(set(world.working))
            second.cancel()
        assert world.waiting == ["b waits for the lease kubus-relay"]
        return seen

    assert simulate(story()) == [{"a"}, {"b"}]


def test_a_first_relay_that_falls_silent_is_followed_by_the_second():
    async def story() -> bool:
        world = World()
        await SmallApi(MemoryBus(world.broker, "apiserver")).serve()
        assert await world.standby("a").may_work()  # and never looks again
        second = world.standby("b")
        assert not await second.may_work()
        await asyncio.sleep(LEASE_SECONDS + 1)
        return await second.may_work()

    assert simulate(story())


def test_a_relay_that_comes_back_under_its_name_need_not_wait():
    async def story() -> bool:
        world = World()
        await SmallApi(MemoryBus(world.broker, "apiserver")).serve()
        assert await world.standby("a").may_work()
        return await world.standby("a").may_work()

    assert simulate(story())


def test_a_relay_that_lives_on_does_not_take_the_lease_back_from_one_of_its_name():
    async def story() -> list[bool]:
        world = World()
        await SmallApi(MemoryBus(world.broker, "apiserver")).serve()
        old, new = world.standby("a"), world.standby("a")
        return [await each.may_work() for each in (old, new, old, new)]

    assert simulate(story()) == [True, True, False, True]


def test_a_relay_that_gets_nowhere_lets_another_one_try():
    async def story() -> list[set[str]]:
        world = World()
        await SmallApi(MemoryBus(world.broker, "apiserver")).serve()
        seen = []
        async with asyncio.TaskGroup() as group:
            relays = [group.create_task(world.run("a"))]
            await asyncio.sleep(1)
            relays.append(group.create_task(world.run("b")))
            await asyncio.sleep(3 * LEASE_SECONDS)
            seen.append(set(world.working))
            world.unable.add("a")
            await asyncio.sleep(LEASE_SECONDS + 4 * LOOK_SECONDS)
            seen.append(set(world.working))
            for relay in relays:
                relay.cancel()
        return seen

    assert simulate(story()) == [{"a"}, {"b"}]
