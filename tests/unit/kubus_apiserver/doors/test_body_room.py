"""Room for bodies: never more than there is, in order, and all of it comes back."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from kubus_apiserver.doors.body_room import BodyRoom


async def test_who_has_no_room_waits_in_order_and_a_small_one_does_not_overtake() -> None:
    room = BodyRoom(10)
    assert room.take(6) is None
    large, small = room.take(6), room.take(1)
    assert large is not None and small is not None
    room.give_back(6)
    assert large.done() and small.done() and room.used == 7


async def test_who_gives_up_holds_nobody_back() -> None:
    room = BodyRoom(10)
    room.take(10)
    large, small = room.take(10), room.take(1)
    assert large is not None and small is not None
    large.cancel()
    room.give_back(10)
    assert small.done() and room.used == 1


@pytest.mark.parametrize("woken", [False, True])
async def test_a_cancelled_wait_gives_back_what_it_got(woken: bool) -> None:
    room = BodyRoom(10)
    room.take(10)

    async def wait() -> None:
        async with room.reserved(5):
            raise AssertionError("not reached")

    waiting = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    if woken:
        room.give_back(10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if not woken:
        room.give_back(10)
    assert room.used == 0


async def test_what_is_held_can_be_scraped() -> None:
    metrics = CollectorRegistry()
    room = BodyRoom(10, metrics)
    async with room.reserved(4):
        assert metrics.get_sample_value("apiserver_request_body_bytes") == 4
    assert metrics.get_sample_value("apiserver_request_body_bytes") == 0


@given(st.lists(st.tuples(st.integers(1, 10), st.integers(0, 3)), max_size=30))
def test_there_is_never_more_in_than_there_is_room_for(bodies: list[tuple[int, int]]) -> None:
    async def story() -> None:
        room = BodyRoom(10)

        async def read(size: int, steps: int) -> None:
            async with room.reserved(size):
                assert room.used <= 10
                for _ in range(steps):
                    await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            made = [tasks.create_task(read(size, steps)) for size, steps in bodies]
            for each in made[::5]:
                each.cancel()
        assert room.used == 0

    asyncio.run(story())
