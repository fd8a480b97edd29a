"""A store that is away before a write, or after it."""

from __future__ import annotations

from random import Random

import pytest

from kubus.store import KeyExists, Unavailable
from kubus.store.memory import MemoryStore
from kubus.testing.clock import SimulatedClock
from kubus.testing.faulty_store import FaultyStore, StoreFaults


def store(faults: StoreFaults) -> FaultyStore:
    return FaultyStore(MemoryStore(SimulatedClock()), faults, Random(1))


async def test_without_faults_it_is_the_store_inside() -> None:
    faulty = store(StoreFaults())
    revision = await faulty.create("/a", b"1")
    revision = await faulty.replace("/a", b"2", expected=revision)
    found = await faulty.get("/a")
    assert found is not None and found.value == b"2"
    assert len((await faulty.page("/")).items) == 1
    assert await faulty.revision() == revision
    await faulty.delete("/a", expected=revision)
    assert await faulty.get("/a") is None
    await faulty.compact(revision)
    await faulty.aclose()


async def test_a_refused_write_has_not_happened() -> None:
    faults = StoreFaults(refuse=1.0)
    faulty = store(faults)
    with pytest.raises(Unavailable):
        await faulty.create("/a", b"1")
    faults.stop()
    assert await faulty.get("/a") is None


async def test_a_silent_write_has_happened() -> None:
    faults = StoreFaults(silence=1.0)
    faulty = store(faults)
    with pytest.raises(Unavailable):
        await faulty.create("/a", b"1")
    faults.stop()
    with pytest.raises(KeyExists):
        await faulty.create("/a", b"1")
