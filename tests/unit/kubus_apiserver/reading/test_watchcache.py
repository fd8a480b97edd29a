"""The watch cache against a plain oracle: a dict and a list of everything that happened."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.store import StoreChange, Stored
from kubus_apiserver.reading import watchcache
from kubus_apiserver.reading.watchcache import Changed, WatchCache

NOTE = Note("t", "t", "create", 0)
MAPS = "configmaps.core"


def value(name: str, number: int = 0, namespace: str = "a") -> bytes:
    return encode_record(NOTE, {"metadata": {"name": name, "namespace": namespace}, "data": {"n": str(number)}})


def change(revision: int, namespace: str, name: str, *, deleted: bool = False) -> StoreChange:
    stored = None if deleted else value(name, revision, namespace)
    return StoreChange(store_key(Key(MAPS, namespace, name)), stored, revision, 0, None)


steps = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.booleans()), max_size=30)


@settings(max_examples=50)
@given(steps, st.integers(min_value=0, max_value=30))
def test_the_cache_holds_what_the_store_holds_and_remembers_what_changed(
    story: list[tuple[str, str, bool]], since: int
) -> None:
    cache, world = WatchCache(), dict[tuple[str, str], int]()
    heard: list[Changed] = []
    cache.collection(MAPS).listeners.add(heard.extend)
    happened: list[int] = []
    for revision, (namespace, name, deleted) in enumerate(story, start=1):
        cache.apply([change(revision, namespace, name, deleted=deleted)])
        if not deleted:
            world[namespace, name] = revision
        elif world.pop((namespace, name), None) is None:
            continue  # nothing was deleted
        happened.append(revision)
    collection = cache.collection(MAPS)
    assert {key: entry.revision for key, entry in collection.entries.items()} == world
    assert [(e.namespace, e.name) for e in collection.select()] == sorted(world)
    assert [e.name for e in collection.select("a")] == sorted(name for namespace, name in world if namespace == "a")
    assert [each.revision for each in heard] == happened
    assert cache.revision == len(story)
    recent = collection.since(since)
    assert recent is not None
    assert [each.revision for each in recent] == [revision for revision in happened if revision > since]


def test_what_comes_twice_is_taken_once() -> None:
    cache = WatchCache()
    cache.apply([change(1, "a", "x"), change(2, "a", "y")])
    cache.apply([change(1, "a", "x", deleted=True), change(2, "a", "y", deleted=True), change(3, "a", "z")])
    assert [entry.name for entry in cache.collection(MAPS).select()] == ["x", "y", "z"]


def test_a_full_ring_forgets_and_says_so(monkeypatch: Any) -> None:
    monkeypatch.setattr(watchcache, "RING", 3)
    cache = WatchCache()
    cache.apply([change(revision, "a", f"x{revision}") for revision in range(1, 6)])
    collection = cache.collection(MAPS)
    assert collection.since(1) is None
    recent = collection.since(2)
    assert recent is not None
    assert [each.revision for each in recent] == [3, 4, 5]


def test_a_value_that_cannot_be_read_is_quarantined_and_harms_nothing() -> None:
    cache = WatchCache()
    broken = store_key(Key(MAPS, "a", "broken"))
    cache.apply([change(1, "a", "x"), StoreChange(broken, b"garbage", 2, 2, None), change(3, "a", "y")])
    assert [entry.name for entry in cache.collection(MAPS).select()] == ["x", "y"]
    assert list(cache.quarantined) == [broken]
    cache.apply([change(4, "a", "broken")])
    assert not cache.quarantined


OLD, NEW = Stored("", b"", 1, 1), Stored("", b"", 2, 1)


@pytest.mark.parametrize(
    ("known", "created", "before", "incomplete"),
    [
        (0, 5, None, False),
        (0, 1, NEW, True),  # its creation never came
        (2, 1, NEW, False),
        (1, 1, NEW, True),  # an update never came
        (2, 5, None, True),  # its deletion never came
        (2, 0, None, False),  # as acknowledged: nobody knows what stood there
        (2, 1, None, False),  # what stood there has been compacted
    ],
)
def test_a_change_that_does_not_follow_on_what_is_known_shows_that_one_is_missing(
    known: int, created: int, before: Stored | None, incomplete: bool
) -> None:
    cache, name = WatchCache(), store_key(Key(MAPS, "a", "x"))
    cache.replace([Stored(name, value("x"), known, 1)] if known else [], 4)
    cache.apply([StoreChange(name, value("x"), 5, created, before)])
    assert cache.is_incomplete is incomplete
    assert cache.revision == 5
    cache.replace([], 6)
    assert not cache.is_incomplete


def test_what_could_not_be_read_is_not_missing() -> None:
    cache, name = WatchCache(), store_key(Key(MAPS, "a", "x"))
    cache.replace([Stored(name, b"garbage", 2, 1)], 4)
    cache.apply([StoreChange(name, value("x"), 5, 1, NEW)])
    assert not cache.is_incomplete


def test_filling_anew_breaks_every_stream_and_starts_its_memory_there() -> None:
    cache = WatchCache()
    cache.apply([change(1, "a", "x")])
    heard: list[list[Changed]] = []
    cache.collection(MAPS).listeners.add(heard.append)
    cache.replace([Stored(store_key(Key(MAPS, "a", "y")), value("y"), 5, 5)], 9)
    assert heard == [[]]
    assert [entry.revision for entry in cache.collection(MAPS).select()] == [5]
    assert (cache.revision, cache.collection(MAPS).since(8), cache.collection(MAPS).since(9)) == (9, None, [])


async def test_who_waits_for_a_revision_is_told_when_it_is_reached() -> None:
    cache = WatchCache()
    cache.apply([change(1, "a", "x")])
    assert cache.reached(1) is None
    late, soon = cache.reached(5), cache.reached(2)
    cache.apply([change(2, "a", "y")])
    await asyncio.sleep(0)
    assert soon is not None and soon.done()
    assert late is not None and not late.done()


def test_an_entry_is_encoded_once() -> None:
    cache = WatchCache()
    cache.apply([change(1, "a", "x")])
    entry = cache.get(Key(MAPS, "a", "x"))
    assert entry is not None
    assert entry.json is entry.json
    assert entry.object["metadata"]["resourceVersion"] == "1"
    assert b"resourceVersion" not in bytes(entry.raw)


def test_what_is_acknowledged_early_waits_for_its_turn_and_comes_once() -> None:
    cache = WatchCache()
    heard: list[Changed] = []
    cache.collection(MAPS).listeners.add(heard.extend)
    for revision in (4, 2, 6):
        cache.acknowledged(change(revision, "a", f"x{revision}"))
    assert (cache.revision, heard) == (0, [])
    cache.acknowledged(change(1, "a", "x1"))
    assert cache.revision == 2
    cache.apply([change(1, "a", "x1"), change(2, "a", "x2")])
    cache.apply([change(3, "a", "x3"), change(4, "a", "x4"), change(5, "a", "x5")])
    assert [each.revision for each in heard] == [1, 2, 3, 4, 5, 6]


def test_what_was_acknowledged_is_forgotten_when_the_cache_is_filled_anew() -> None:
    cache = WatchCache()
    cache.acknowledged(change(3, "a", "of-another-time"))
    cache.replace([], 2)
    cache.apply([change(3, "a", "y")])
    assert [entry.name for entry in cache.collection(MAPS).select()] == ["y"]
