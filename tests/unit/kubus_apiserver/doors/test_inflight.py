"""Waiting for a seat: turns come, patience ends in 429, and a flood of one user starves nobody's lease."""

from __future__ import annotations

import asyncio

import pytest

from kubus.model.errors import StatusError
from kubus_apiserver.calls import User
from kubus_apiserver.doors.fairness import Asked, Level, flow_of
from kubus_apiserver.doors.inflight import Inflight

LEVELS = (
    Level("leader-election", 1, 5, 5),
    Level("node-high", 1, 5, 5),
    Level("workload-high", 1, 5, 5),
    Level("workload-low", 1, 5, 5),
    Level("global-default", 2, 6, 4),
)
PODS, LEASE = Asked("list", "pods"), Asked("update", "leases", "kube-system")
SCHEDULER = User("system:kube-scheduler")


async def _hold(inflight: Inflight, user: str, until: asyncio.Event, asked: Asked = PODS) -> str:
    try:
        async with inflight.seat(inflight.seats(flow_of(User(user), asked)), User(user)):
            await until.wait()
    except StatusError as error:
        return f"{error.code} {error.message} {error.details['retryAfterSeconds']}"
    return "served"


async def test_a_flood_waits_overflows_and_is_served_in_the_end():
    inflight, done = Inflight(LEVELS), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        flood = [tasks.create_task(_hold(inflight, "flood", done)) for _ in range(10)]
        other = tasks.create_task(_hold(inflight, "alice", done))
        await asyncio.sleep(0)
        async with asyncio.timeout(1), inflight.seat(inflight.seats(flow_of(SCHEDULER, LEASE)), SCHEDULER):
            pass  # the leader's lease is renewed in the middle of it
        done.set()
    results = [each.result() for each in flood]
    assert results.count("served") == 6
    assert results.count("429 Too many requests, please try again later. 1") == 4
    assert other.result() == "served"


async def test_patience_ends():
    inflight, done = Inflight(LEVELS, patience_seconds=0.02), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(_hold(inflight, "flood", done))
        await asyncio.sleep(0)
        assert (await _hold(inflight, "alice", done)).startswith("429")
        done.set()


async def test_who_goes_away_while_waiting_leaves_the_turn_to_others():
    inflight, done = Inflight(LEVELS), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(_hold(inflight, "flood", done))
        await asyncio.sleep(0)
        gone = tasks.create_task(_hold(inflight, "bob", done))
        stays = tasks.create_task(_hold(inflight, "alice", done))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        done.set()
    assert stays.result() == "served"
    with pytest.raises(asyncio.CancelledError):
        gone.result()
