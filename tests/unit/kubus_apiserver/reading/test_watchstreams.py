"""Watches: what a client sees from the first event to the last."""

from __future__ import annotations

import asyncio
from typing import Any

from kubus_apiserver.calls import ReadOptions, Target
from kubus_apiserver.doors.answers import Answer
from kubus_apiserver.reading.representations import PLAIN_VIEW
from kubus_apiserver.reading.watches import Batch

MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def config_map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


async def test_a_watch_from_a_list_sees_every_change_after_it(api) -> None:
    listed = await api.ok("GET", MAPS)
    version = listed["metadata"]["resourceVersion"]
    await api.ok("POST", MAPS, config_map("a"))
    async with asyncio.TaskGroup() as tasks:
        sink = await api.watch(f"{MAPS}?watch=true&resourceVersion={version}", tasks)
        await api.ok("PATCH", f"{MAPS}/a", {"data": {"k": "v"}}, content_type=MERGE)
        await api.ok("DELETE", f"{MAPS}/a")
        events = await sink.until(3)
        assert told(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
        versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
        assert versions == sorted(set(versions))
        api.core.watches.end_all()


async def test_a_watch_without_a_revision_begins_with_what_is_there(api) -> None:
    await api.ok("POST", MAPS, config_map("a"))
    async with asyncio.TaskGroup() as tasks:
        sink = await api.watch(f"{MAPS}?watch=1", tasks)
        await sink.until(1)
        await api.ok("POST", MAPS, config_map("b"))
        assert told(await sink.until(2)) == [("ADDED", "a"), ("ADDED", "b")]
        api.core.watches.end_all()


class Sizes:
    """Notes how large the batches of a watch are."""

    closed = False

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.enough = asyncio.Event()

    def send(self, batch: Batch) -> None:
        self.sizes.append(len(batch.chunk))
        if sum(self.sizes) > 30 * 100_000:
            self.enough.set()

    async def drained(self) -> None:
        await asyncio.sleep(0)


async def test_what_a_watch_begins_with_comes_in_batches_that_a_connection_takes(api) -> None:
    for number in range(30):
        await api.ok("POST", MAPS, {**config_map(f"m{number}"), "data": {"k": "x" * 100_000}})
    target = Target(api.core.registry["configmaps.core"], "default")
    start = await api.core.watches.start(target, ReadOptions(watch=True), PLAIN_VIEW)
    sink = Sizes()
    async with asyncio.TaskGroup() as tasks:
        streaming = tasks.create_task(api.core.watches.stream(start, sink))
        try:
            await asyncio.wait_for(sink.enough.wait(), 5)
        finally:
            streaming.cancel()
    assert max(sink.sizes) < 400_000


async def test_a_watch_list_marks_the_end_of_the_initial_events(api) -> None:
    await api.ok("POST", MAPS, config_map("a"))
    url = f"{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    async with asyncio.TaskGroup() as tasks:
        sink = await api.watch(url, tasks)
        events = await sink.until(2)
        assert told(events) == [("ADDED", "a"), ("BOOKMARK", "")]
        bookmark = events[1]["object"]
        assert bookmark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert int(bookmark["metadata"]["resourceVersion"]) >= int(events[0]["object"]["metadata"]["resourceVersion"])
        api.core.watches.end_all()


async def test_an_object_that_leaves_the_selector_is_deleted_to_the_watcher(api) -> None:
    async with asyncio.TaskGroup() as tasks:
        sink = await api.watch(f"{MAPS}?watch=1&labelSelector=app%3Dx", tasks)
        await asyncio.sleep(0)
        await api.ok("POST", MAPS, config_map("a", app="x"))
        await api.ok("POST", MAPS, config_map("b", app="y"))
        await api.ok("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"app": "y"}}}, content_type=MERGE)
        await api.ok("PATCH", f"{MAPS}/b", {"metadata": {"labels": {"app": "x"}}}, content_type=MERGE)
        events = await sink.until(3)
        assert told(events) == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "b")]
        api.core.watches.end_all()


async def test_tables_are_watched_row_by_row(api) -> None:
    async with asyncio.TaskGroup() as tasks:
        sink = await api.watch(f"{MAPS}?watch=1", tasks, accept=TABLE)
        await asyncio.sleep(0)
        await api.ok("POST", MAPS, config_map("a"))
        (event,) = await sink.until(1)
        assert event["object"]["kind"] == "Table"
        assert event["object"]["rows"][0]["cells"][0] == "a"
        api.core.watches.end_all()


async def test_a_revision_that_the_cache_has_forgotten_is_told_as_expired(api) -> None:
    async with asyncio.TaskGroup() as tasks:
        api.core.cache.collection("configmaps.core").complete_after = 10**6
        sink = await api.watch(f"{MAPS}?watch=1&resourceVersion=1", tasks)
        (event,) = await sink.until(1)
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_a_revision_in_the_future_is_answered_with_a_timeout(api) -> None:
    answer = await api.raw("GET", f"{MAPS}?watch=1&resourceVersion=1000000")
    assert isinstance(answer, Answer)
    assert answer.code == 504
    assert answer.retry_after_seconds == 1


async def test_a_watch_ends_when_its_time_is_over(api) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        await api.watch(f"{MAPS}?watch=1&timeoutSeconds=1", tasks)


async def test_a_cache_that_is_filled_anew_ends_its_watches(api) -> None:
    async with asyncio.TaskGroup() as tasks:
        sink = await api.watch(f"{MAPS}?watch=1", tasks)
        await asyncio.sleep(0)
        api.core.cache.replace([], api.core.cache.revision + 1)
        (event,) = await sink.until(1)
        assert event["object"]["reason"] == "Expired"
