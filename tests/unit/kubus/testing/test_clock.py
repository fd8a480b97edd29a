"""Simulated time jumps, orders and reports deadlocks."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from kubus.testing.clock import OWNER, START, Deadlock, SimulatedClock, SimulatedLoop, simulate


def test_an_hour_takes_no_time() -> None:
    async def story() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began = time.perf_counter()
    assert simulate(story()) == pytest.approx(3600)
    assert time.perf_counter() - began < 5


def test_what_is_due_first_comes_first() -> None:
    async def story() -> list[int]:
        order: list[int] = []

        async def wait(seconds: int) -> None:
            await asyncio.sleep(seconds)
            order.append(seconds)

        await asyncio.gather(*(wait(seconds) for seconds in (5, 1, 3, 2, 4)))
        return order

    assert simulate(story()) == [1, 2, 3, 4, 5]


def test_timeouts_count_simulated_seconds() -> None:
    async def story() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.sleep(11)

    simulate(story())


def test_waiting_for_what_never_comes_is_a_deadlock() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        simulate(story())


def test_the_wall_clock_can_be_set_and_the_monotonic_one_cannot() -> None:
    async def story() -> None:
        clock = SimulatedClock()
        await asyncio.sleep(60)
        assert clock.now() == START + timedelta(seconds=60)
        clock.jump(-3600)
        assert clock.now() == START - timedelta(seconds=3540)
        assert clock.monotonic() == pytest.approx(60)

    simulate(story())


def test_what_still_runs_at_the_end_is_ended() -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.sleep(1e9)
        finally:
            ended.append("forever")

    async def story() -> None:
        story.task = asyncio.ensure_future(forever())
        await asyncio.sleep(1)

    simulate(story())
    assert ended == ["forever"]


def test_what_an_owner_does_waits_while_it_is_frozen() -> None:
    """Its timers are due in its absence and run when it thaws; others go on, and tasks hand their owner on."""
    done: list[tuple[str, float]] = []

    async def act(owner: str) -> None:
        OWNER.set(owner)
        await asyncio.gather(tick(owner))

    async def tick(owner: str) -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            done.append((owner, asyncio.get_running_loop().time()))

    async def story() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(act("a"))
            tasks.create_task(act("b"))
            await asyncio.sleep(1.5)
            loop.freeze("a")
            await asyncio.sleep(8.5)
            loop.thaw("a")

    simulate(story())
    assert done == [("a", 1), ("b", 1), ("b", 2), ("b", 3), ("a", 10), ("a", 11)]
