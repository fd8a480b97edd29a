"""How the cache is filled and how fresh it has to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from kubus.model.errors import StatusError
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.service.clocks import SystemClock
from kubus.store import StoreChange, Unavailable
from kubus.store.memory import MemoryStore
from kubus_apiserver.reading.follower import Follower, Freshness
from kubus_apiserver.reading.watchcache import WatchCache


def value(name: str) -> bytes:
    return encode_record(Note("t", "t", "create", 0), {"metadata": {"name": name, "namespace": "d"}})


def key(name: str) -> str:
    return store_key(Key("configmaps.core", "d", name))


class Slow:
    """A store whose revision takes a while, and that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.revision_now = 1
        self.away = False

    async def revision(self) -> int:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.away:
            raise Unavailable("no leader")
        return self.revision_now


async def test_the_cache_gets_what_was_there_and_what_comes() -> None:
    store, cache = MemoryStore(SystemClock()), WatchCache()
    await store.create(key("a"), value("a"))
    follower = Follower(store, cache)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run())
        await follower.loaded.wait()
        revision = await store.create(key("b"), value("b"))
        reached = cache.reached(revision)
        if reached is not None:
            await asyncio.wait_for(reached, 5)
        assert [entry.name for entry in cache.collection("configmaps.core").select()] == ["a", "b"]
        running.cancel()


async def test_many_questions_take_few_answers() -> None:
    store, cache = Slow(), WatchCache()
    cache.revision = 1
    freshness = Freshness(store, cache)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(freshness.run())
        await asyncio.gather(*(freshness.consistent() for _ in range(100)))
        assert store.asked == 1
        first = tasks.create_task(freshness.consistent())
        await asyncio.sleep(0.002)
        await freshness.consistent()  # comes while one is under way: takes the next
        await first
        assert store.asked == 3
        running.cancel()


async def test_where_many_read_the_next_question_waits_for_more_of_them() -> None:
    store, cache = Slow(), WatchCache()
    cache.revision = 1
    freshness = Freshness(store, cache, gathering_seconds=0.05)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(freshness.run())
        await asyncio.gather(*(freshness.consistent() for _ in range(10)))
        first = tasks.create_task(freshness.consistent())
        for _ in range(5):
            await asyncio.sleep(0)
        await freshness.consistent()
        await first
        assert store.asked == 2
        running.cancel()


async def test_a_reader_waits_until_the_cache_is_there() -> None:
    store, cache = Slow(), WatchCache()
    cache.revision, store.revision_now = 1, 2
    freshness = Freshness(store, cache)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(freshness.run())
        reading = tasks.create_task(freshness.consistent())
        await asyncio.sleep(0.05)
        assert not reading.done()
        cache.replace([], 2)
        await reading
        running.cancel()


async def test_a_store_that_is_away_is_said_to_be() -> None:
    store = Slow()
    store.away = True
    freshness = Freshness(store, WatchCache())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(freshness.run())
        with pytest.raises(StatusError) as refused:
            await freshness.consistent()
        assert refused.value.code == 503
        store.away = False
        store.revision_now = 0
        await freshness.consistent()
        running.cancel()


class Forgetful(MemoryStore):
    """A store whose first stream has lost its first change."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.lost = 0

    async def changes(self, prefix: str, *, after: int) -> AsyncGenerator[list[StoreChange], None]:
        async with aclosing(super().changes(prefix, after=after)) as batches:
            async for batch in batches:
                if batch and not self.lost:
                    self.lost = batch[0].revision
                    batch = batch[1:]  # noqa: PLW2901
                yield batch


async def test_a_change_that_the_store_has_lost_is_found_out_by_the_next_of_its_key() -> None:
    store, cache = Forgetful(), WatchCache()
    created = await store.create(key("a"), value("a"))
    follower = Follower(store, cache)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run())
        await follower.loaded.wait()
        lost = await store.replace(key("a"), value("a"), expected=created)
        while store.lost != lost:
            await asyncio.sleep(0.01)
        other = await store.create(key("b"), value("b"))
        async with asyncio.timeout(5):
            reached = cache.reached(other)
            if reached is not None:
                await reached
            assert [entry.revision for entry in cache.collection("configmaps.core").select()] == [created, other]
            last = await store.replace(key("a"), value("a"), expected=lost)
            gone = await store.delete(key("a"), expected=last)
            while cache.revision < gone or cache.is_incomplete:
                await asyncio.sleep(0.01)
        assert [entry.revision for entry in cache.collection("configmaps.core").select()] == [other]
        assert cache.collection("configmaps.core").since(last - 1) is None  # filled anew, and its watchers told so
        running.cancel()


async def test_a_store_that_goes_back_is_read_anew() -> None:
    store, cache = MemoryStore(SystemClock()), WatchCache()
    kept = await store.create(key("a"), value("a"))
    follower = Follower(store, cache)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run())
        await follower.loaded.wait()
        last = await store.create(key("b"), value("b"))
        async with asyncio.timeout(5):
            while cache.revision != last:
                await asyncio.sleep(0.01)
            store.restore(kept)
            while cache.revision != kept:
                await asyncio.sleep(0.01)
        assert [entry.name for entry in cache.collection("configmaps.core").select()] == ["a"]
        running.cancel()


async def test_no_read_is_answered_from_a_cache_that_is_ahead_of_the_store() -> None:
    store, cache = Slow(), WatchCache()
    cache.revision = 5
    freshness = Freshness(store, cache)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(freshness.run())
        with pytest.raises(StatusError) as refused:
            await freshness.consistent()
        assert refused.value.code == 503
        cache.revision = 1
        await freshness.consistent()
        running.cancel()
