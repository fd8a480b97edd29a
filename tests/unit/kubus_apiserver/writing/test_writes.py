"""Writes of a server whose cache lags behind, or whose store fails: nothing untrue is said, nothing is lost."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus.model.records import decode_record, note_key
from kubus.service.clocks import SystemClock
from kubus.store import NoSpace, Unavailable
from kubus_apiserver.calls import AUTHENTICATED, MASTERS, Target, User, WriteOptions
from kubus_apiserver.core import Core, build
from kubus_apiserver.reading.reads import read_fresh
from kubus_apiserver.writing.patching import Patch, Replacement

ADMIN = User("admin", (MASTERS, AUTHENTICATED))
OPTIONS = WriteOptions(manager="test")


@pytest.fixture
async def late(core: Core) -> Core:
    """A second server on the same store that has read everything once and hears no more."""
    other = build(core.store, SystemClock(), Random(2), core.registry)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(other.run())
        await other.loaded()
        running.cancel()
    return other


def target(core: Core, name: str = "") -> Target:
    return Target(core.registry["configmaps.core"], "default", name)


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def merge(core: Core, patch: dict[str, Any]) -> Patch:
    return Patch(core.registry["configmaps.core"], "merge", patch, core.schemas)


async def test_what_the_cache_has_not_heard_of_is_found_in_the_store(core: Core, late: Core) -> None:
    await core.writes.create(target(core), config_map(k="1"), ADMIN, OPTIONS)
    entry = await late.writes.update(target(late, "a"), merge(late, {"data": {"k": "2"}}), ADMIN, OPTIONS)
    assert entry.object["data"] == {"k": "2"}
    deleted = await late.writes.delete(target(late, "a"), {}, ADMIN, OPTIONS)
    assert deleted.removed
    with pytest.raises(StatusError) as refused:
        await late.writes.delete(target(late, "a"), {}, ADMIN, OPTIONS)
    assert refused.value.code == 404


async def test_a_patch_on_a_stale_object_is_made_on_the_fresh_one(core: Core) -> None:
    await core.writes.create(target(core), config_map(k="1"), ADMIN, OPTIONS)
    await core.freshness.consistent()
    key = target(core, "a").key
    stale = core.cache.get(key)
    await core.writes.update(target(core, "a"), merge(core, {"data": {"other": "x"}}), ADMIN, OPTIONS)
    await core.freshness.consistent()
    core.cache.collection("configmaps.core").entries["default", "a"] = stale
    entry = await core.writes.update(target(core, "a"), merge(core, {"data": {"k": "2"}}), ADMIN, OPTIONS)
    assert entry.object["data"] == {"k": "2", "other": "x"}


async def test_nothing_changed_is_only_said_of_the_fresh_object(core: Core) -> None:
    await core.writes.create(target(core), config_map(k="1"), ADMIN, OPTIONS)
    await core.freshness.consistent()
    stale = core.cache.get(target(core, "a").key)
    await core.writes.update(target(core, "a"), merge(core, {"data": {"k": "2"}}), ADMIN, OPTIONS)
    await core.freshness.consistent()
    core.cache.collection("configmaps.core").entries["default", "a"] = stale
    entry = await core.writes.update(target(core, "a"), merge(core, {"data": {"k": "1"}}), ADMIN, OPTIONS)
    assert entry.object["data"] == {"k": "1"}
    fresh = await read_fresh(core.store, target(core, "a").key)
    assert fresh is not None
    assert fresh.revision == entry.revision


async def test_a_revision_that_the_cache_does_not_have_yet_is_no_conflict(core: Core, late: Core) -> None:
    await core.writes.create(target(core), config_map(k="1"), ADMIN, OPTIONS)
    made = await read_fresh(core.store, target(core, "a").key)
    assert made is not None
    change = Replacement({**made.object, "data": {"k": "2"}})
    entry = await late.writes.update(target(late, "a"), change, ADMIN, OPTIONS, revision=str(made.revision))
    with pytest.raises(StatusError) as refused:
        await late.writes.update(target(late, "a"), change, ADMIN, OPTIONS, revision=str(made.revision))
    assert refused.value.reason == "Conflict"
    assert entry.revision > made.revision


async def test_cached_objects_are_never_edited(core: Core) -> None:
    await core.writes.create(target(core), config_map(k="1"), ADMIN, OPTIONS)
    await core.freshness.consistent()
    entry = core.cache.get(target(core, "a").key)
    assert entry is not None
    before = entry.json
    for patch in ({"data": {"k": "2"}}, {"metadata": {"labels": {"a": "b"}}}, {"metadata": {"labels": {"a b": "c"}}}):
        try:
            await core.writes.update(target(core, "a"), merge(core, patch), ADMIN, OPTIONS)
        except StatusError as refused:
            assert refused.code == 422
    from kubus.model.codec import to_json

    assert to_json(entry.object) == before


async def test_the_note_of_a_deletion_stands_beside_it(core: Core) -> None:
    made = await core.writes.create(target(core), config_map(), ADMIN, OPTIONS)
    await core.writes.delete(target(core, "a"), {}, ADMIN, WriteOptions(manager="test", cause=7))
    note = await core.store.get(note_key(made.object["metadata"]["uid"]))
    assert note is not None
    from kubus.model.codec import unpack

    assert {key: unpack(note.value)[key] for key in ("by", "with", "verb", "cause")} == {
        "by": "admin", "with": "test", "verb": "delete", "cause": 7,
    }  # fmt: skip


async def test_a_write_keeps_who_why_and_when(core: Core) -> None:
    options = WriteOptions(manager="m", trace="00-abc", cause=5)
    await core.writes.create(target(core), config_map(), ADMIN, options)
    stored = await core.store.get("/kubus/configmaps.core/default/a")
    assert stored is not None
    note = decode_record(stored.value).note
    assert (note.by, note.manager, note.verb, note.cause, note.trace) == ("admin", "m", "create", 5, "00-abc")
    assert note.at > 0


@pytest.mark.parametrize(("failure", "code"), [(Unavailable("gone"), 504), (NoSpace("full"), 503)])
async def test_a_store_that_fails_is_told_apart_from_a_client_that_errs(
    core: Core, failure: Exception, code: int
) -> None:
    class Failing:
        async def create(self, *_: Any, **__: Any) -> int:
            raise failure

    core.writes._store = Failing()  # type: ignore[assignment]
    with pytest.raises(StatusError) as refused:
        await core.writes.create(target(core), config_map(), ADMIN, OPTIONS)
    assert refused.value.code == code


async def test_an_object_too_large_for_the_store_is_refused(core: Core) -> None:
    with pytest.raises(StatusError) as refused:
        await core.writes.create(target(core), config_map(k="x" * 1_600_000), ADMIN, OPTIONS)
    assert refused.value.code in (413, 422)
