"""What every store does: the same tests against a real etcd and against the one in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from kubus.service.clocks import SystemClock
from kubus.store import (
    Compacted,
    Conflict,
    Fence,
    Fenced,
    FutureRevision,
    KeyExists,
    Store,
    StoreChange,
    Stored,
)
from kubus.store.etcd import connect
from kubus.store.memory import MemoryStore
from kubus.testing.etcd_server import etcd_server


@pytest.fixture(params=["etcd", "memory"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore(SystemClock())
        return
    async with etcd_server() as server:
        store = connect((server.endpoint,))
        yield store
        await store.aclose()


async def changes_after(store: Store, prefix: str, after: int, count: int) -> list[StoreChange]:
    """The first `count` changes."""
    found: list[StoreChange] = []
    async with asyncio.timeout(90), aclosing(store.changes(prefix, after=after)) as batches:
        async for batch in batches:
            found += batch
            if len(found) >= count:
                return found
    raise AssertionError("the stream ended")


async def test_an_empty_store_has_a_revision_and_nothing_else(store):
    assert await store.revision() >= 1
    assert await store.get("/kubus/a.core/_/x") is None
    page = await store.page("/kubus/")
    assert page.items == []
    assert not page.more
    assert page.revision == await store.revision()


async def test_a_created_key_stands_at_its_revision(store):
    before = await store.revision()
    revision = await store.create("/k/a", b"one")
    assert revision == before + 1 == await store.revision()
    assert await store.get("/k/a") == Stored("/k/a", b"one", revision, revision)


async def test_a_key_is_created_once(store):
    revision = await store.create("/k/a", b"one")
    with pytest.raises(KeyExists):
        await store.create("/k/a", b"two")
    assert await store.get("/k/a") == Stored("/k/a", b"one", revision, revision)


async def test_a_replaced_key_keeps_the_revision_of_its_creation(store):
    created = await store.create("/k/a", b"one")
    replaced = await store.replace("/k/a", b"two", expected=created)
    assert replaced > created
    assert await store.get("/k/a") == Stored("/k/a", b"two", replaced, created)


async def test_a_replace_with_an_old_revision_is_told_what_stands_there(store):
    created = await store.create("/k/a", b"one")
    replaced = await store.replace("/k/a", b"two", expected=created)
    with pytest.raises(Conflict) as conflict:
        await store.replace("/k/a", b"three", expected=created)
    assert conflict.value.current == Stored("/k/a", b"two", replaced, created)


@pytest.mark.parametrize("expected", [1, 5])
async def test_a_key_that_is_not_there_cannot_be_replaced_or_deleted(store, expected):
    with pytest.raises(Conflict) as conflict:
        await store.replace("/k/a", b"two", expected=expected)
    assert conflict.value.current is None
    with pytest.raises(Conflict) as conflict:
        await store.delete("/k/a", expected=expected)
    assert conflict.value.current is None


async def test_a_deleted_key_is_gone_and_can_be_created_anew(store):
    created = await store.create("/k/a", b"one")
    deleted = await store.delete("/k/a", expected=created)
    assert deleted == created + 1
    assert await store.get("/k/a") is None
    again = await store.create("/k/a", b"two")
    assert await store.get("/k/a") == Stored("/k/a", b"two", again, again)


async def test_a_delete_with_an_old_revision_deletes_nothing_and_writes_no_note(store):
    created = await store.create("/k/a", b"one")
    replaced = await store.replace("/k/a", b"two", expected=created)
    with pytest.raises(Conflict) as conflict:
        await store.delete("/k/a", expected=created, note=("/n/a", b"who"))
    assert conflict.value.current == Stored("/k/a", b"two", replaced, created)
    assert await store.get("/n/a") is None
    assert await store.revision() == replaced


async def test_a_note_stands_in_the_same_revision_as_its_delete_and_before_it(store):
    created = await store.create("/k/a", b"one")
    deleted = await store.delete("/k/a", expected=created, note=("/k/n", b"who"))
    assert await changes_after(store, "/k/", created, 2) == [
        StoreChange("/k/n", b"who", deleted, deleted, None),
        StoreChange("/k/a", None, deleted, 0, Stored("/k/a", b"one", created, created)),
    ]


async def test_a_write_under_a_fence_succeeds_while_the_fence_stands(store):
    fence = Fence("/lease", await store.create("/lease", b"mine"))
    created = await store.create("/k/a", b"one", fence=fence)
    replaced = await store.replace("/k/a", b"two", expected=created, fence=fence)
    await store.delete("/k/a", expected=replaced, note=("/n/a", b"who"), fence=fence)


async def test_a_write_under_a_fence_fails_once_the_fence_has_moved(store):
    standing = await store.create("/k/a", b"one")
    lease = await store.create("/lease", b"mine")
    fence = Fence("/lease", lease)
    await store.replace("/lease", b"yours", expected=lease)
    with pytest.raises(Fenced):
        await store.create("/k/b", b"two", fence=fence)
    with pytest.raises(Fenced):
        await store.create("/k/a", b"two", fence=fence)
    with pytest.raises(Fenced):
        await store.replace("/k/a", b"two", expected=standing, fence=fence)
    with pytest.raises(Fenced):
        await store.delete("/k/a", expected=standing, fence=fence)
    with pytest.raises(Fenced):
        await store.create("/k/b", b"two", fence=Fence("/no lease", 3))
    assert await store.get("/k/a") == Stored("/k/a", b"one", standing, standing)
    assert await store.get("/k/b") is None


async def test_under_a_fence_that_stands_a_conflict_is_a_conflict(store):
    fence = Fence("/lease", await store.create("/lease", b"mine"))
    created = await store.create("/k/a", b"one")
    with pytest.raises(KeyExists):
        await store.create("/k/a", b"two", fence=fence)
    with pytest.raises(Conflict) as conflict:
        await store.replace("/k/a", b"two", expected=created - 1, fence=fence)
    assert conflict.value.current == Stored("/k/a", b"one", created, created)


async def test_of_many_creators_of_one_key_one_wins(store):
    results = await asyncio.gather(*(store.create("/k/a", str(i).encode()) for i in range(50)), return_exceptions=True)
    winners = [i for i, result in enumerate(results) if isinstance(result, int)]
    assert len(winners) == 1
    assert sum(isinstance(result, KeyExists) for result in results) == 49
    found = await store.get("/k/a")
    assert found.value == str(winners[0]).encode()


async def test_counting_up_in_parallel_by_compare_and_swap_loses_no_step(store):
    await store.create("/k/n", b"0")

    async def count_up(times: int) -> None:
        current = await store.get("/k/n")
        while times:
            try:
                value = str(int(current.value) + 1).encode()
                revision = await store.replace("/k/n", value, expected=current.revision)
                current = current._replace(value=value, revision=revision)
                times -= 1
            except Conflict as conflict:
                current = conflict.current

    await asyncio.gather(*(count_up(10) for _ in range(8)))
    assert (await store.get("/k/n")).value == b"80"


async def test_keys_with_a_time_to_live_go_by_themselves_and_a_write_begins_it_anew(store):
    first = await store.create("/k/a", b"1", ttl_seconds=2)
    await store.create("/k/b", b"1", ttl_seconds=2)
    kept = await store.create("/k/c", b"1", ttl_seconds=2)
    kept = await store.replace("/k/c", b"2", expected=kept)
    lasting = await store.create("/k/d", b"1", ttl_seconds=2)
    await store.replace("/k/d", b"2", expected=lasting, ttl_seconds=3600)
    gone = set()
    async with asyncio.timeout(60), aclosing(store.changes("/k/", after=first - 1)) as batches:
        async for batch in batches:
            gone |= {change.key for change in batch if change.value is None}
            assert all(change.before is not None for change in batch if change.value is None)
            if len(gone) == 2:
                break
    assert gone == {"/k/a", "/k/b"}
    assert [item.key for item in (await store.page("/k/")).items] == ["/k/c", "/k/d"]


async def test_pages_follow_each_other_at_one_revision(store):
    for i in range(7):
        await store.create(f"/k/{i}", b"old")
    first = await store.page("/k/", limit=3)
    assert [item.key for item in first.items] == ["/k/0", "/k/1", "/k/2"]
    assert first.more
    await store.create("/k/35", b"new")
    await store.delete("/k/4", expected=first.revision - 2)
    second = await store.page("/k/", after="/k/2", limit=3, at=first.revision)
    assert [item.key for item in second.items] == ["/k/3", "/k/4", "/k/5"]
    assert second.more
    assert second.revision == first.revision
    last = await store.page("/k/", after="/k/5", limit=3, at=first.revision)
    assert [item.key for item in last.items] == ["/k/6"]
    assert not last.more
    assert [item.key for item in (await store.page("/k/")).items] == [f"/k/{i}" for i in (0, 1, 2, 3, 35, 5, 6)]


async def test_a_page_that_ends_at_the_last_key_says_that_no_more_follow(store):
    for i in range(3):
        await store.create(f"/k/{i}", b"v")
    page = await store.page("/k/", limit=3)
    assert len(page.items) == 3
    assert not page.more
    assert (await store.page("/k/", after="/k/9")).items == []
    assert (await store.page("/k/", after="/l")).items == []


async def test_a_prefix_takes_in_no_neighbour_whose_name_begins_alike(store):
    keys = ["/k/pods.core/", "/k/pods.core/a", "/k/pods.core/a/b", "/k/pods.core0", "/k/pods.corex/a", "/k/pods.cor"]
    start = await store.revision()
    for key in keys:
        await store.create(key, b"v")
    inside = keys[:3]
    assert [item.key for item in (await store.page("/k/pods.core/")).items] == inside
    assert [change.key for change in await changes_after(store, "/k/pods.core/", start, 3)] == inside


async def test_keys_and_values_may_be_any_text_and_any_bytes(store):
    start = await store.revision()
    keys = sorted(["/k/é", "/k/日本", "/k/😀", "/k/a:b*c>d e", "/k/\x01", "/k/\u07ff", "/k/\uffff"])
    for key in keys:
        await store.create(key, bytes(range(256)))
    page = await store.page("/k/")
    assert [item.key for item in page.items] == keys
    assert {item.value for item in page.items} == {bytes(range(256))}
    assert [item.key for item in (await store.page("/k/", after=keys[2])).items] == keys[3:]
    assert [change.key for change in await changes_after(store, "/k/", start, len(keys))] == keys
    assert (await store.get("/k/😀")).key == "/k/😀"


async def test_a_value_may_be_empty(store):
    start = await store.revision()
    await store.create("/k/a", b"")
    assert (await store.get("/k/a")).value == b""
    assert (await changes_after(store, "/k/", start, 1))[0].value == b""


async def test_values_of_a_megabyte_come_back_whole_in_pages_and_changes(store):
    start = await store.revision()
    values = {f"/k/{i}": bytes([i]) * 1_400_000 for i in range(6)}
    for key, value in values.items():
        await store.create(key, value)
    assert {item.key: item.value for item in (await store.page("/k/")).items} == values
    found = await changes_after(store, "/k/", start, len(values))
    assert {change.key: change.value for change in found} == values


async def test_the_past_can_be_read(store):
    created = await store.create("/k/a", b"one")
    replaced = await store.replace("/k/a", b"two", expected=created)
    await store.delete("/k/a", expected=replaced)
    assert await store.get("/k/a", at=created - 1) is None
    assert await store.get("/k/a", at=created) == Stored("/k/a", b"one", created, created)
    assert await store.get("/k/a", at=replaced) == Stored("/k/a", b"two", replaced, created)
    assert [item.value for item in (await store.page("/k/", at=created)).items] == [b"one"]


async def test_the_future_cannot_be_read(store):
    future = await store.revision() + 1
    with pytest.raises(FutureRevision):
        await store.get("/k/a", at=future)
    with pytest.raises(FutureRevision):
        await store.page("/k/", at=future)


async def test_what_is_compacted_cannot_be_read_and_what_is_not_can(store):
    created = await store.create("/k/a", b"one")
    replaced = await store.replace("/k/a", b"two", expected=created)
    newest = await store.replace("/k/a", b"three", expected=replaced)
    await store.compact(replaced)
    with pytest.raises(Compacted):
        await store.get("/k/a", at=created)
    with pytest.raises(Compacted):
        await store.page("/k/", at=created)
    assert (await store.get("/k/a", at=replaced)).value == b"two"
    assert (await store.get("/k/a", at=newest)).value == b"three"
    with pytest.raises(Compacted):
        await store.compact(replaced)


async def test_changes_tell_what_stood_before(store):
    created = await store.create("/k/a", b"one")
    replaced = await store.replace("/k/a", b"two", expected=created)
    deleted = await store.delete("/k/a", expected=replaced)
    first = Stored("/k/a", b"one", created, created)
    second = Stored("/k/a", b"two", replaced, created)
    assert await changes_after(store, "/k/", created - 1, 3) == [
        StoreChange("/k/a", b"one", created, created, None),
        StoreChange("/k/a", b"two", replaced, created, first),
        StoreChange("/k/a", None, deleted, 0, second),
    ]


@pytest.mark.parametrize("behind", [0, 1])
async def test_changes_before_a_compaction_are_refused_and_later_ones_are_not(store, behind):
    """A deletion at the compacted revision itself is forgotten, so whoever has not seen it is refused too."""
    created = await store.create("/k/a", b"one")
    deleted = await store.delete("/k/a", expected=created)
    newest = await store.create("/k/b", b"two")
    await store.compact(deleted)
    if behind:
        with pytest.raises(Compacted):
            await changes_after(store, "/k/", deleted - behind, 1)
    else:
        assert [change.revision for change in await changes_after(store, "/k/", deleted, 1)] == [newest]


async def test_a_quiet_stream_gives_a_sign_of_life(store):
    start = await store.revision()
    async with asyncio.timeout(90), aclosing(store.changes("/k/", after=start)) as batches:
        assert await anext(batches) == []
        revision = await store.create("/k/a", b"one")
        batch: list[StoreChange] = []
        while not batch:
            batch = await anext(batches)
        assert [change.revision for change in batch] == [revision]


async def test_every_watcher_sees_every_change_of_many_writers_in_order(store):
    start = await store.revision()
    writers, writes, watchers = 16, 25, 3

    async def write(name: int) -> None:
        revision = await store.create(f"/k/{name}", b"0")
        for i in range(1, writes):
            revision = await store.replace(f"/k/{name}", str(i).encode(), expected=revision)

    async with asyncio.TaskGroup() as group:
        seen = [
            group.create_task(changes_after(store, "/k/", start, writers * writes))  # tests may
            for _ in range(watchers)
        ]
        for name in range(writers):
            group.create_task(write(name))
    for watcher in seen:
        changes = watcher.result()
        assert [change.revision for change in changes] == list(range(start + 1, start + 1 + writers * writes))
        for name in range(writers):
            of_one = [change for change in changes if change.key == f"/k/{name}"]
            assert [int(change.value) for change in of_one] == list(range(writes))
            assert [change.before for change in of_one[1:]] == [
                Stored(change.key, change.value, change.revision, change.created) for change in of_one[:-1]
            ]
