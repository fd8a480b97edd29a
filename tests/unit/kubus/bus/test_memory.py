"""What the bus in memory can do beyond the conformance suite: being cut on purpose, and being the same every time."""

from __future__ import annotations

import asyncio

import pytest

from kubus.bus import Disconnected, Disturbed, Message, RequestTimeout
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.testing.clock import simulate


async def test_a_cut_connection_loses_what_is_said_meanwhile_and_is_told_when_it_is_back() -> None:
    broker = MemoryBroker()
    one, two = MemoryBus(broker, "one"), MemoryBus(broker, "two")
    subscription = await two.subscribe("news")
    broker.disconnect(two)
    await one.publish("news", b"lost")
    with pytest.raises(Disconnected):
        await two.publish("news", b"")
    broker.reconnect(two)
    await one.publish("news", b"seen")
    disturbed, message = await subscription.next_batch()
    assert isinstance(disturbed, Disturbed)
    assert message == Message("news", b"seen")


async def test_a_request_under_way_when_the_connection_is_cut_may_or_may_not_have_happened() -> None:
    broker = MemoryBroker()
    one, two = MemoryBus(broker, "one"), MemoryBus(broker, "two")

    async def slow(_: Message) -> bytes:
        await asyncio.sleep(60)
        return b""

    async def ask() -> None:
        with pytest.raises(RequestTimeout, match="lost before the reply"):
            await one.request("slow", b"")

    await two.serve("slow", slow)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask())
        await asyncio.sleep(0)
        broker.disconnect(one)
    await two.aclose()


def test_a_run_in_simulated_time_is_the_same_every_time() -> None:
    async def story() -> list[str]:
        broker = MemoryBroker()
        log: list[str] = []

        async def work(name: str) -> None:
            bus = MemoryBus(broker, name)
            subscription = await bus.subscribe("work", group="workers")
            async for item in subscription:
                assert isinstance(item, Message)
                log.append(f"{name} {item.data.decode()}")
                await asyncio.sleep(1)

        async with asyncio.TaskGroup() as tasks:
            workers = [tasks.create_task(work(name)) for name in "abc"]
            await asyncio.sleep(0.1)
            boss = MemoryBus(broker, "boss")
            for number in range(9):
                await boss.publish("work", str(number).encode())
            await asyncio.sleep(10)
            for worker in workers:
                worker.cancel()
        return log

    first = simulate(story())
    assert len(first) == 9
    assert first == simulate(story()) == simulate(story())
