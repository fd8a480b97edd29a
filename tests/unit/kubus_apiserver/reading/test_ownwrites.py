"""What this apiserver has written is in its cache at once."""

from __future__ import annotations

import asyncio
from random import Random

from kubus.model.objects import Key
from kubus.model.records import ROOT, Note, encode_record, store_key
from kubus.service.clocks import SystemClock
from kubus.store.memory import MemoryStore
from kubus_apiserver.reading.follower import Follower
from kubus_apiserver.reading.ownwrites import OwnWrites
from kubus_apiserver.reading.watchcache import Changed, WatchCache

MAPS = "configmaps.core"


def value(name: str) -> bytes:
    return encode_record(Note("t", "t", "create", 0), {"metadata": {"name": name, "namespace": "d"}})


def key(name: str) -> str:
    return store_key(Key(MAPS, "d", name))


async def loaded() -> tuple[MemoryStore, WatchCache]:
    """A store, and a cache that has all of it but hears of no changes."""
    store, cache = MemoryStore(SystemClock()), WatchCache()
    cache.replace([], await store.revision())
    return store, cache


async def test_a_write_is_in_the_cache_when_it_is_acknowledged() -> None:
    store, cache = await loaded()
    own = OwnWrites(store, cache)
    first = await own.create(key("a"), value("a"))
    second = await own.replace(key("a"), value("a"), expected=first)
    entry = cache.get(Key(MAPS, "d", "a"))
    assert entry is not None and entry.revision == cache.revision == second
    await own.delete(key("a"), expected=second, note=("/kubus/notes/a", b""))
    assert cache.get(Key(MAPS, "d", "a")) is None
    assert cache.revision == await own.revision()


async def test_it_waits_there_for_what_others_wrote_before() -> None:
    store, cache = await loaded()
    own, start = OwnWrites(store, cache), cache.revision
    heard: list[Changed] = []
    cache.collection(MAPS).listeners.add(heard.extend)
    await store.create(key("of-another"), value("of-another"))
    await own.create(key("a"), value("a"))
    last = await own.create(key("b"), value("b"))
    assert (heard, cache.revision) == ([], start)
    async for batch in own.changes(ROOT, after=start):
        cache.apply(batch[:1])
        break
    assert [each.revision for each in heard] == [start + 1, start + 2, start + 3]
    assert cache.revision == last


async def test_the_cache_equals_the_store_whoever_writes_and_whatever_comes_first() -> None:
    store, cache = MemoryStore(SystemClock()), WatchCache()
    own, random = OwnWrites(store, cache), Random(7)
    follower = Follower(store, cache)
    heard: list[Changed] = []
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run())
        await follower.loaded.wait()
        cache.collection(MAPS).listeners.add(heard.extend)
        for number in range(500):
            writer = random.choice((own, store))
            name = key(f"x{random.randrange(20)}")
            there = await store.get(name)
            if there is None:
                await writer.create(name, value(name.rpartition("/")[2]))
            elif random.random() < 0.5:
                await writer.replace(name, value(name.rpartition("/")[2]), expected=there.revision)
            else:
                await writer.delete(name, expected=there.revision)
            if number % 7 == 0:
                await asyncio.sleep(0)
        if (reached := cache.reached(await store.revision())) is not None:
            await asyncio.wait_for(reached, 5)
        running.cancel()
    page = await store.page(ROOT)
    entries = cache.collection(MAPS).select()
    assert [(store_key(Key(MAPS, e.namespace, e.name)), e.revision) for e in entries] == [
        (item.key, item.revision) for item in page.items
    ]
    assert len(heard) == 500
    assert [each.revision for each in heard] == sorted(each.revision for each in heard)
