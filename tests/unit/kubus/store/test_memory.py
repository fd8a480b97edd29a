"""What the store in memory does beside the conformance suite: leases by a clock, and the same story every time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from kubus.store.memory import NOTE_SECONDS, MemoryStore
from kubus.testing.clock import SimulatedClock, simulate


def test_notes_end_with_their_lease():
    async def story() -> tuple[bool, bool, list[str]]:
        store = MemoryStore(SimulatedClock())
        created = await store.create("/k/a", b"one")
        deleted = await store.delete("/k/a", expected=created, note=("/n/a", b"who"))
        await asyncio.sleep(NOTE_SECONDS - 1)
        before = await store.get("/n/a") is not None
        await asyncio.sleep(2)
        after = await store.get("/n/a") is not None
        async with aclosing(store.changes("/n/", after=deleted)) as batches:
            return before, after, [change.key for change in await anext(batches) if change.value is None]

    assert simulate(story()) == (True, False, ["/n/a"])


def test_a_watcher_hears_of_a_leases_end_without_anybody_calling():
    async def story() -> list[str]:
        store = MemoryStore(SimulatedClock())
        created = await store.create("/k/a", b"one")
        deleted = await store.delete("/k/a", expected=created, note=("/n/a", b"who"))
        async with aclosing(store.changes("/n/", after=deleted)) as batches:
            async for batch in batches:
                if batch:
                    return [change.key for change in batch]
        return []

    assert simulate(story()) == ["/n/a"]


def test_the_same_calls_tell_the_same_story():
    async def story() -> list[tuple[str, int]]:
        store = MemoryStore(SimulatedClock())

        async def write(name: str) -> None:
            for i in range(5):
                await store.create(f"/k/{name}{i}", b"v")
                await asyncio.sleep(0.1)

        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(write(name))
        async with aclosing(store.changes("/k/", after=0)) as batches:
            return [(change.key, change.revision) for change in await anext(batches)]

    told = simulate(story())
    assert len(told) == 15
    assert told == simulate(story())


def test_compaction_forgets_what_was_replaced_and_keeps_what_stands():
    async def story() -> tuple[list[str], int]:
        store = MemoryStore(SimulatedClock())
        gone = await store.create("/k/gone", b"v")
        await store.create("/k/stays", b"v")
        newest = await store.delete("/k/gone", expected=gone)
        await store.compact(newest)
        return [item.key for item in (await store.page("/k/")).items], len(store._versions)

    assert simulate(story()) == (["/k/stays"], 1)
