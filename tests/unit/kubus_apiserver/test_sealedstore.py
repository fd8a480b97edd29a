"""The store that seals: plain records above it, sealed ones below."""

from __future__ import annotations

import os
from contextlib import aclosing

import pytest

from kubus.model.records import Note, encode_record
from kubus.model.sealing import Seals
from kubus.store import Conflict
from kubus.store.memory import MemoryStore
from kubus.testing.clock import SimulatedClock
from kubus_apiserver.sealedstore import SealedStore

KEY, OTHER = "/kubus/secrets.core/default/s", "/kubus/configmaps.core/default/c"
OLD, NEW = b"o" * 32, b"n" * 32


def record(content: str) -> bytes:
    return encode_record(Note("a", "b", "create", 1), {"metadata": {"name": "s"}, "data": {"key": content}})


def sealing(store: MemoryStore, *keys: bytes) -> SealedStore:
    return SealedStore(store, Seals(keys or (OLD,), os.urandom))


async def test_secrets_are_sealed_below_and_plain_above():
    below = MemoryStore(SimulatedClock())
    store = sealing(below)
    await store.create(KEY, record("hidden"))
    await store.create(OTHER, record("shown"))
    assert b"hidden" not in (await below.get(KEY)).value
    assert (await below.get(OTHER)).value == (await store.get(OTHER)).value == record("shown")
    assert (await store.get(KEY)).value == record("hidden")
    assert [each.value for each in (await store.page("/kubus/")).items] == [record("shown"), record("hidden")]


async def test_changes_and_lost_races_show_plain_records():
    store = sealing(MemoryStore(SimulatedClock()))
    first = await store.create(KEY, record("one"))
    await store.replace(KEY, record("two"), expected=first)
    with pytest.raises(Conflict) as lost:
        await store.replace(KEY, record("three"), expected=first)
    assert lost.value.current.value == record("two")
    with pytest.raises(Conflict) as lost:
        await store.delete(KEY, expected=first)
    assert lost.value.current.value == record("two")
    async with aclosing(store.changes("/kubus/", after=first)) as batches:
        [change] = await anext(batches)
    assert (change.value, change.before.value) == (record("two"), record("one"))


async def test_with_a_new_key_everything_is_sealed_anew_once():
    below = MemoryStore(SimulatedClock())
    before = sealing(below, OLD)
    for number in range(3):
        await before.create(f"{KEY}-{number}", record(str(number)))
    await below.create(f"{KEY}-broken", b"no record")
    after = sealing(below, NEW, OLD)
    assert await after.renew() == 3
    assert await after.renew() == 0
    only_new = sealing(below, NEW)
    assert [(await only_new.get(f"{KEY}-{number}")).value for number in range(3)] == [record(str(n)) for n in range(3)]


async def test_what_cannot_be_opened_is_handed_on_as_it_stands():
    below = MemoryStore(SimulatedClock())
    await below.create(KEY, b"no record")
    assert (await sealing(below).get(KEY)).value == b"no record"
