"""What only a real etcd can show: crashes, TLS, several endpoints, a full disk, leases, a stranger's eyes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import aclosing, suppress
from uuid import uuid4

import pytest

from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, note_key, store_key
from kubus.store import Compacted, NoSpace, StoreChange, Unavailable
from kubus.store.etcd import connect, range_end
from kubus.testing.etcd_server import etcd_cluster, etcd_server, free_port

STRANGER = """
import json, sys
import etcd3, msgpack
client = etcd3.client(host="127.0.0.1", port=int(sys.argv[1]))
print(json.dumps([
    [metadata.key.decode(), msgpack.unpackb(value), metadata.mod_revision]
    for value, metadata in client.get_prefix("/kubus/")
]))
"""


async def test_a_stranger_reads_what_was_written(etcd, etcd_store):
    """With the packages etcd3 and msgpack, in a process of its own: etcd3's stubs and ours know the same messages."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "labels": {"näme": "日本"}}}
    note = Note("alice", "kubectl", "create", 1700000000000000, cause=7, trace="00-ab-cd-01")
    record = encode_record(note, pod)
    created = await etcd_store.create(store_key(Key("pods.core", "default", "web-0")), record)
    doomed = await etcd_store.create(store_key(Key("nodes.core", "", "n1")), record)
    deleted = await etcd_store.delete(
        store_key(Key("nodes.core", "", "n1")), expected=doomed, note=(note_key("uid-1"), encode_record(note, {}))
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        STRANGER,
        etcd.endpoint.rpartition(":")[2],
        env={**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate()
    wire = {
        "by": "alice",
        "with": "kubectl",
        "verb": "create",
        "at": 1700000000000000,
        "cause": 7,
        "trace": "00-ab-cd-01",
    }
    assert json.loads(output) == [
        ["/kubus/notes/uid-1", [1, wire, {}], deleted],
        ["/kubus/pods.core/default/web-0", [1, wire, pod], created],
    ]


async def test_a_watch_goes_on_over_crashes_of_etcd_without_loss_or_repetition(etcd, etcd_store):
    seen: list[int] = []
    written: list[int] = []
    done = asyncio.Event()

    async def watch() -> None:
        async with aclosing(etcd_store.changes("/k/", after=1)) as batches:
            async for batch in batches:
                seen.extend(change.revision for change in batch)
                if done.is_set() and seen and seen[-1] >= max(written):
                    return

    async def write() -> None:
        for i in range(300):
            with suppress(Unavailable):  # it may have been written all the same
                written.append(await etcd_store.create(f"/k/{i}", b"v"))
            await asyncio.sleep(0.005)
        done.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(watch())
        writing = group.create_task(write())
        while not writing.done():
            await asyncio.sleep(0.4)
            await etcd.restart()
    stored = sorted(item.revision for item in (await etcd_store.page("/k/")).items)
    assert seen == stored
    assert set(written) <= set(stored)


async def test_reads_and_writes_wait_for_an_etcd_that_restarts(etcd, etcd_store):
    created = await etcd_store.create("/k/a", b"one")
    await etcd.kill()
    await asyncio.sleep(0.05)  # a write in the moment in which etcd dies may have happened, for all we know

    async def restart_later() -> None:
        await asyncio.sleep(0.5)
        await etcd.start()

    async with asyncio.TaskGroup() as group:
        group.create_task(restart_later())
        found = group.create_task(etcd_store.get("/k/a"))
        replaced = group.create_task(etcd_store.replace("/k/a", b"two", expected=created))
    assert found.result() is not None
    assert replaced.result() == created + 1


async def test_an_etcd_that_is_away_is_unavailable():
    store = connect((f"127.0.0.1:{free_port()}",))
    async with asyncio.timeout(10):
        ends = await asyncio.gather(store.get("/k"), store.create("/k", b"v"), return_exceptions=True)
    assert [type(end) for end in ends] == [Unavailable, Unavailable]
    await store.aclose()


async def test_a_history_that_went_back_is_not_waited_for():
    """Etcd was restored from a backup: what the watcher has seen is the future there."""
    async with etcd_server() as old, etcd_server() as new:
        store = connect((old.endpoint,))
        for i in range(5):
            last = await store.create(f"/k/{i}", b"v")
        await store.aclose()
        store = connect((new.endpoint,))
        with pytest.raises(Compacted):
            async with asyncio.timeout(10), aclosing(store.changes("/k/", after=last)) as batches:
                await anext(batches)
        await store.aclose()


async def test_a_dead_endpoint_among_several_is_passed_over(etcd):
    store = connect((f"127.0.0.1:{free_port()}", etcd.endpoint))
    created = await store.create("/k/a", b"one")
    async with asyncio.timeout(10), aclosing(store.changes("/k/", after=created - 1)) as batches:
        assert [change.revision for change in await anext(batches)] == [created]
    await store.aclose()


async def test_endpoints_may_be_names(etcd):
    port = etcd.endpoint.rpartition(":")[2]
    store = connect(("etcd.invalid:2379", f"localhost:{port}"))
    assert await store.revision() >= 1
    await store.aclose()


def test_what_is_no_endpoint_is_refused_at_once():
    with pytest.raises(ValueError, match="HOST:PORT"):
        connect(("etcd-1",))


async def test_writes_and_watches_go_on_when_the_member_that_is_talked_to_dies():
    async with etcd_cluster(3) as members:
        store = connect(tuple(member.endpoint for member in members))
        start, written = await store.create("/k/first", b"v"), []

        async def write() -> None:
            while len(written) < 5:
                with suppress(Unavailable):  # nobody leads for a moment, if it was the leader
                    written.append(await store.create(f"/k/{uuid4()}", b"v"))

        async with asyncio.timeout(40), aclosing(store.changes("/k/", after=start)) as batches:
            assert await anext(batches) == []
            await members[0].kill()
            await write()
            seen: list[int] = []
            while not set(written) <= set(seen):
                seen += [change.revision for change in await anext(batches)]
        assert seen == sorted(set(seen))
        await store.aclose()


async def test_a_large_page_comes_whole_while_small_calls_go_on(etcd_store):
    value = os.urandom(1_000_000)
    for each in range(8):
        await etcd_store.create(f"/k/{each}", value)
    page, *_ = await asyncio.gather(etcd_store.page("/k/"), *(etcd_store.get("/n") for _ in range(20)))
    assert [item.value for item in page.items] == [value] * 8


async def test_a_call_that_is_cancelled_is_forgotten(etcd_store):
    async with asyncio.TaskGroup() as group:
        cancelled = [group.create_task(etcd_store.page("/k/")) for _ in range(20)]
        await asyncio.sleep(0)
        for each in cancelled:
            each.cancel()
    assert await etcd_store.get("/k/a") is None


async def test_a_watch_whose_history_is_compacted_says_so(etcd_store):
    created = await etcd_store.create("/k/a", b"v")
    for _ in range(5):
        last = await etcd_store.create(f"/k/{_}", b"v")
    await etcd_store.compact(last)
    with pytest.raises(Compacted):
        async with asyncio.timeout(5), aclosing(etcd_store.changes("/k/", after=created)) as batches:
            await anext(batches)


async def test_a_full_etcd_takes_no_writes_but_answers_and_deletes():
    async with etcd_server(quota_bytes=3_000_000) as etcd:
        store = connect((etcd.endpoint,))
        first = await store.create("/k/first", b"v")
        with pytest.raises(NoSpace):
            for i in range(100):
                await store.create(f"/k/{i}", b"v" * 200_000)
                await asyncio.sleep(0.02)  # etcd looks at its size after it has committed a batch
        assert (await store.status()).errors
        assert await store.get("/k/first") is not None
        assert await store.delete("/k/first", expected=first) > first
        await store.aclose()


async def test_status_tells_of_the_member(etcd_store):
    status = await etcd_store.status()
    assert status.has_leader
    assert status.version.startswith("3.")
    assert 0 < status.bytes_in_use <= status.bytes_on_disk
    assert status.errors == ()


async def test_deletes_one_after_the_other_share_a_lease_and_survive_its_loss(etcd_store):
    for i in range(3):
        created = await etcd_store.create(f"/k/{i}", b"v")
        await etcd_store.delete(f"/k/{i}", expected=created, note=(f"/n/{i}", b"who"))
    lease = await etcd_store._notes.current()
    etcd_store._notes._lease = lease + 1  # one that etcd does not know, as after a restore
    created = await etcd_store.create("/k/9", b"v")
    deleted = await etcd_store.delete("/k/9", expected=created, note=("/n/9", b"who"))
    assert (await etcd_store.get("/n/9")).revision == deleted


async def test_closing_a_watch_leaves_the_store_usable(etcd_store):
    start = await etcd_store.revision()
    for _ in range(3):
        batches = etcd_store.changes("/k/", after=start)
        assert await anext(batches) == []
        await batches.aclose()
    created = await etcd_store.create("/k/a", b"one")
    async with aclosing(etcd_store.changes("/k/", after=start)) as batches:
        assert await anext(batches) == [StoreChange("/k/a", b"one", created, created, None)]


@pytest.mark.parametrize(("prefix", "end"), [("/kubus/", b"/kubus0"), ("a", b"b"), ("é", b"\xc3\xaa")])
def test_a_prefix_ends_before_the_next_key(prefix, end):
    assert range_end(prefix) == end
    assert prefix.encode() + b"\xff" * 9 < end
