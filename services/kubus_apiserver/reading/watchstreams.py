"""The course of one watch: what it starts with, how it catches up, and how it ends.

    start    which objects come first, and from which revision on changes follow
    stream   the initial objects in slices that wait for a slow reader, then what changed meanwhile,
             then the hub; bookmarks in between

Between the last look at the ring and joining the hub nothing is awaited, so no change falls in between.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import Random
from typing import NamedTuple, Protocol

from kubus.model.errors import StatusError, gone
from kubus.model.times import Clock
from kubus_apiserver.calls import ReadOptions, Target
from kubus_apiserver.conversions import Conversions, is_converted
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.follower import Freshness
from kubus_apiserver.reading.list_options import check_list_options, parse_revision
from kubus_apiserver.reading.representations import View
from kubus_apiserver.reading.selection import selection
from kubus_apiserver.reading.watchcache import Changed, Collection, WatchCache
from kubus_apiserver.reading.watches import Batch, Hub, Scope, Watcher, bookmark, event_bytes, events_of, failure

_SLICE = 200
_BATCH_BYTES = 256 * 1024
_LOOK_SECONDS = 5.0
"""How often a quiet watch looks whether its client is still there."""
_BOOKMARK_SECONDS = 60.0
_TIMEOUT_SECONDS = 1800


class Sink(Protocol):
    """Where a watch's bytes go."""

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent."""

    def send(self, batch: Batch) -> None:
        """Hand over bytes without waiting."""

    async def drained(self) -> None:
        """Wait until the reader has taken most of it."""


class Start(NamedTuple):
    """What a watch begins with."""

    scope: Scope
    options: ReadOptions
    initial: list[Entry]
    revision: int
    """What changed after this comes next."""
    marks_end: bool
    """Whether a bookmark says that the initial objects are all out."""


class Watches:
    """Starts and runs watches."""

    def __init__(
        self, cache: WatchCache, freshness: Freshness, conversions: Conversions, *, clock: Clock, random: Random
    ) -> None:
        self._cache = cache
        self._freshness = freshness
        self._conversions = conversions
        self._clock = clock
        self._random = random
        self._hubs: dict[str, tuple[Collection, Hub]] = {}

    @property
    def count(self) -> int:
        """How many watches go on."""
        return sum(hub.count for _, hub in self._hubs.values())

    async def start(self, target: Target, options: ReadOptions, view: View) -> Start:
        """What the watch begins with.

        Raises:
            StatusError: 400, 422, 504: nothing has been sent yet.
        """
        check_list_options(options)
        scope = Scope(target.kind, target.namespace, selection(target.kind, options, target.name), view)
        version = options.resource_version
        if not version:
            await self._freshness.consistent()
        elif version != "0":
            await self._freshness.at_least(parse_revision(version))
        wants_all = options.send_initial_events
        if wants_all is None:
            wants_all = version in ("", "0")
        if not wants_all:
            revision = self._cache.revision if version in ("", "0") else parse_revision(version)
            return Start(scope, options, [], revision, marks_end=False)
        collection = self._cache.collection(target.kind.collection)
        entries = collection.select(target.namespace)
        revision = self._cache.revision
        await self._conversions.ready(target.kind, entries)
        if not scope.selection.everything:
            entries = [each for each in entries if scope.selection.matches(each.viewed(target.kind).object)]
        marks_end = bool(options.send_initial_events and options.bookmarks)
        return Start(scope, options, entries, revision, marks_end=marks_end)

    async def _sent(self, sink: Sink, events: Iterable[bytes]) -> bool:
        """Send events in batches that a connection takes; whether anybody is there to take more."""
        batch: list[bytes] = []
        size = 0
        for event in events:
            if event:
                batch.append(event)
                size += len(event)
            if size >= _BATCH_BYTES or len(batch) == _SLICE:
                sink.send(Batch(batch))
                await sink.drained()
                if sink.closed:
                    return False
                batch, size = [], 0
        if batch:
            sink.send(Batch(batch))
            await sink.drained()
        return not sink.closed

    async def stream(self, start: Start, sink: Sink) -> None:
        """Send the watch's events until its time is over, its client is gone or it fell behind."""
        scope = start.scope
        if not await self._sent(sink, (event_bytes(scope, "ADDED", each, self._clock.now) for each in start.initial)):
            return
        revision = start.revision
        if is_converted(scope.kind):
            await self._converted(start, sink)
            return
        while True:
            collection = self._cache.collection(scope.kind.collection)
            recent = collection.since(revision)
            if recent is None:
                words = f"too old resource version: {revision} ({collection.complete_after})"
                sink.send(Batch([failure(gone(words), scope)]))
                return
            last = len(recent) <= _SLICE
            recent = recent[:_SLICE]
            if events := events_of(scope, recent, self._clock.now):
                sink.send(Batch(events))
            if last:
                break
            revision = recent[-1].revision
            await sink.drained()
            if sink.closed:
                return
        if start.marks_end:
            sink.send(Batch([bookmark(scope, self._cache.revision, initial_events_end=True)]))
        await self._live(start, sink)

    async def _converted(self, start: Start, sink: Sink) -> None:
        """A watch on objects that a webhook converts: it goes its own way, as fast as the webhook."""
        scope, revision = start.scope, start.revision
        collection = self._cache.collection(scope.kind.collection)
        news = asyncio.Event()
        ended = asyncio.Event()

        def received(batch: list[Changed]) -> None:
            news.set()
            if not batch:
                ended.set()

        def end(_error: StatusError | None) -> None:
            ended.set()
            news.set()

        watcher = Watcher(scope, lambda _batch: None, end)
        hub = self._hub(scope.kind.collection)
        hub.add(watcher)
        collection.listeners.add(received)
        deadline = self._clock.monotonic() + (start.options.timeout_seconds or _TIMEOUT_SECONDS)
        marks_end = start.marks_end
        try:
            while not sink.closed and not ended.is_set() and self._clock.monotonic() < deadline:
                recent = collection.since(revision)
                if recent is None:
                    sink.send(Batch([failure(gone(f"too old resource version: {revision}"), scope)]))
                    return
                seen = [each for changed in recent for each in (changed.entry, changed.before) if each is not None]
                await self._conversions.ready(scope.kind, seen)
                if events := events_of(scope, recent, self._clock.now):
                    sink.send(Batch(events))
                revision = recent[-1].revision if recent else revision
                if marks_end:
                    sink.send(Batch([bookmark(scope, revision, initial_events_end=True)]))
                    marks_end = False
                await _waited(news, _LOOK_SECONDS)
        except StatusError as error:
            sink.send(Batch([failure(error, scope)]))
        finally:
            collection.listeners.discard(received)
            hub.remove(watcher)

    async def _live(self, start: Start, sink: Sink) -> None:
        scope, options = start.scope, start.options
        ended = asyncio.Event()

        def end(error: StatusError | None) -> None:
            if error is not None and not ended.is_set():
                sink.send(Batch([failure(error, scope)]))
            ended.set()

        def send(batch: Batch) -> None:
            if not sink.closed:
                sink.send(batch)
            if sink.closed:
                ended.set()

        hub = self._hub(scope.kind.collection)
        watcher = Watcher(scope, send, end)
        hub.add(watcher)
        seconds = options.timeout_seconds or _TIMEOUT_SECONDS + self._random.randrange(_TIMEOUT_SECONDS)
        deadline = self._clock.monotonic() + seconds
        next_bookmark = self._clock.monotonic() + _BOOKMARK_SECONDS
        try:
            while not sink.closed and not ended.is_set():
                now = self._clock.monotonic()
                if options.bookmarks and (now >= next_bookmark or now >= deadline):
                    hub.flush()
                    sink.send(Batch([bookmark(scope, self._cache.revision)]))
                    next_bookmark = now + _BOOKMARK_SECONDS
                if now >= deadline:
                    return
                try:
                    async with asyncio.timeout(min(_LOOK_SECONDS, deadline - now)):
                        await ended.wait()
                except TimeoutError:
                    continue
        finally:
            hub.remove(watcher)

    def _hub(self, name: str) -> Hub:
        collection = self._cache.collection(name)
        found = self._hubs.get(name)
        if found is None or found[0] is not collection:
            found = self._hubs[name] = (collection, Hub(collection, self._clock.now))
        return found[1]

    def end(self, collection: str) -> None:
        """End the watches on a collection: its kind has changed, or is served no longer."""
        found = self._hubs.get(collection)
        if found is not None:
            found[1].end_all()

    def end_all(self) -> None:
        """End every watch: the server stops."""
        for _, hub in list(self._hubs.values()):
            hub.end_all()


async def _waited(news: asyncio.Event, seconds: float) -> None:
    """Wait for news, or for so long."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return
    news.clear()
