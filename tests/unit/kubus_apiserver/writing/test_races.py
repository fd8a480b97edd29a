"""What is tried again, on what, and what is final."""

from __future__ import annotations

import pytest

from kubus.model.errors import StatusError, bad_request
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.records import Note, encode_record
from kubus.store import Conflict, Stored
from kubus.store.memory import MemoryStore
from kubus.testing.clock import SimulatedClock
from kubus_apiserver.calls import Target
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.writing.races import TRIES, Stale, on_newest

KEY = "/kubus/configmaps.core/default/c"
TARGET = Target(CONFIG_MAPS, "default", "c")


def record(number: int) -> bytes:
    return encode_record(Note("a", "b", "create", 1), {"metadata": {"name": "c", "namespace": "default"}, "n": number})


class Race:
    """A store that holds more than its cache, and an attempt that fails as told before it succeeds."""

    def __init__(self) -> None:
        self.store = MemoryStore(SimulatedClock())
        self.cache = WatchCache()
        self.seen: list[tuple[int, bool]] = []

    async def begin(self, versions: int = 2) -> int:
        """Version 1 in the cache, the last one in the store; its revision."""
        revision = await self.store.create(KEY, record(1))
        self.cache.replace([Stored(KEY, record(1), revision, revision)], revision)
        for number in range(2, versions + 1):
            revision = await self.store.replace(KEY, record(number), expected=revision)
        return revision

    async def run(self, *failures: Exception, revision: str = "") -> str:
        waiting = list(failures)

        async def attempt(current: Entry, fresh: bool) -> str:
            self.seen.append((current.object["n"], fresh))
            if waiting:
                raise waiting.pop(0)
            return "done"

        return await on_newest(self.store, self.cache, TARGET, attempt, revision=revision)


async def test_the_cached_object_serves_where_nobody_objects():
    race = Race()
    await race.begin()
    assert await race.run() == "done"
    assert race.seen == [(1, False)]


async def test_what_proves_to_be_old_is_tried_again_on_the_stores():
    race = Race()
    await race.begin()
    assert await race.run(Stale()) == "done"
    assert race.seen == [(1, False), (2, True)]


async def test_the_object_that_won_comes_with_the_refusal():
    race = Race()
    await race.begin()
    assert await race.run(Conflict(Stored(KEY, record(7), 9, 1))) == "done"
    assert race.seen == [(1, False), (7, True)]


async def test_a_refusal_is_final_only_of_the_newest_object():
    race = Race()
    await race.begin()
    assert await race.run(bad_request("not so")) == "done"
    assert race.seen == [(1, False), (2, True)]
    with pytest.raises(StatusError, match="not so"):
        await race.run(bad_request("not so"), bad_request("not so"))


@pytest.mark.parametrize("failures", [(Conflict(None),), ()], ids=["deleted meanwhile", "never there"])
async def test_what_is_not_there_is_404(failures):
    race = Race()
    if failures:
        await race.begin()
    with pytest.raises(StatusError) as refused:
        await race.run(*failures)
    assert refused.value.code == 404


async def test_a_revision_is_looked_up_before_it_is_refused():
    race = Race()
    newest = await race.begin()
    assert await race.run(revision=str(newest)) == "done"
    assert race.seen == [(2, True)]
    with pytest.raises(StatusError) as refused:
        await race.run(revision=str(newest + 1))
    assert refused.value.code == 409


async def test_who_always_loses_is_told_so():
    race = Race()
    await race.begin()
    with pytest.raises(StatusError) as refused:
        await race.run(*(Conflict(Stored(KEY, record(each), 9 + each, 1)) for each in range(TRIES)))
    assert refused.value.code == 409
