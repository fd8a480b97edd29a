"""The store in memory, with etcd's semantics: for unit tests and the simulation.

Revisions, history, compaction, fences and leased notes are as the Protocol says and as the conformance suite
compares with a real etcd. Nothing here reads a clock of its own, starts a thread or waits in real time, so that under a
simulated loop the same calls give the same story. Leases end when the store is next called after their time.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections.abc import AsyncGenerator, Iterator
from heapq import heappop, heappush
from operator import itemgetter

from kubus.model.times import Clock
from kubus.store import (
    Compacted,
    Conflict,
    Fence,
    Fenced,
    FutureRevision,
    KeyExists,
    Page,
    Reverted,
    StoreChange,
    Stored,
)

NOTE_SECONDS = 150.0
_TICK_SECONDS = 1.0
_BY_REVISION = itemgetter(0)


class MemoryStore:
    """`kubus.store.Store` in memory. The clock ends the leases of notes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._revision = 1  # as an empty etcd
        self._compacted = 0
        self._keys: list[str] = []
        self._versions: dict[str, list[tuple[int, Stored | None]]] = {}
        self._log: list[tuple[int, list[StoreChange]]] = []
        self._leased: list[tuple[float, str, int]] = []
        """A heap of (end, key, revision): what stands at another revision by then has another lease, or none."""
        self._changed = asyncio.Event()
        self._restores = 0

    async def history(self) -> str:
        """See `Store.history`."""
        return f"memory-{self._restores}"

    def restore(self, revision: int) -> None:
        """Go back to a revision that is not compacted, as an etcd that is restored from a backup of then."""
        self._check(revision)
        self._restores += 1
        self._revision = revision
        self._log = self._log[: bisect_left(self._log, revision + 1, key=_BY_REVISION)]
        for key in list(self._keys):
            versions = self._versions[key]
            del versions[bisect_left(versions, revision + 1, key=_BY_REVISION) :]
            if not versions:
                del self._versions[key]
                self._keys.remove(key)
        self._wake()

    async def get(self, key: str, *, at: int = 0) -> Stored | None:
        """See `Store.get`."""
        self._check(at)
        return self._standing(key, at)

    async def page(self, prefix: str, *, after: str = "", limit: int = 0, at: int = 0) -> Page:
        """See `Store.page`."""
        self._check(at)
        items: list[Stored] = []
        for key in self._keys_with(prefix, after):
            found = self._standing(key, at)
            if found is None:
                continue
            if limit and len(items) == limit:
                return Page(items, at or self._revision, more=True)
            items.append(found)
        return Page(items, at or self._revision, more=False)

    async def revision(self) -> int:
        """See `Store.revision`."""
        self._end_leases()
        return self._revision

    async def create(self, key: str, value: bytes, *, fence: Fence | None = None, ttl_seconds: int = 0) -> int:
        """See `Store.create`."""
        self._check_fence(fence)
        if self._standing(key) is not None:
            raise KeyExists(key)
        return self._leased_until(key, ttl_seconds, self._commit([(key, value)]))

    async def replace(
        self, key: str, value: bytes, *, expected: int, fence: Fence | None = None, ttl_seconds: int = 0
    ) -> int:
        """See `Store.replace`."""
        self._check_fence(fence)
        self._expect(key, expected)
        return self._leased_until(key, ttl_seconds, self._commit([(key, value)]))

    async def delete(
        self, key: str, *, expected: int, note: tuple[str, bytes] | None = None, fence: Fence | None = None
    ) -> int:
        """See `Store.delete`."""
        self._check_fence(fence)
        self._expect(key, expected)
        if note is None:
            return self._commit([(key, None)])
        return self._leased_until(note[0], NOTE_SECONDS, self._commit([note, (key, None)]))

    async def changes(self, prefix: str, *, after: int) -> AsyncGenerator[list[StoreChange], None]:
        """See `Store.changes`."""
        restores = self._restores
        if after > self._revision:
            raise Reverted(self._revision)
        while True:
            if restores != self._restores:
                raise Reverted(self._revision)
            if after < self._compacted:
                raise Compacted(self._compacted)
            changed = self._changed
            batch = [
                change
                for _, changes in self._log[bisect_left(self._log, after + 1, key=_BY_REVISION) :]
                for change in changes
                if change.key.startswith(prefix)
            ]
            after = max(after, self._revision)
            if batch:
                yield batch
                continue
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    await changed.wait()
            except TimeoutError:
                self._end_leases()
                yield []

    async def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        if revision <= self._compacted:
            raise Compacted(self._compacted)
        if revision > self._revision:
            raise FutureRevision(str(revision))
        self._compacted = revision
        self._log = self._log[bisect_left(self._log, revision + 1, key=_BY_REVISION) :]
        for key in list(self._keys):
            versions = self._versions[key]
            kept = versions[max(0, bisect_left(versions, revision + 1, key=_BY_REVISION) - 1) :]
            if kept[0][1] is None:
                kept = kept[1:]
            if kept:
                self._versions[key] = kept
            else:
                del self._versions[key]
                self._keys.remove(key)
        self._wake()

    async def aclose(self) -> None:
        """See `Store.aclose`; nothing is open."""

    def _check(self, at: int) -> None:
        self._end_leases()
        if at > self._revision:
            raise FutureRevision(str(at))
        if at and at < self._compacted:
            raise Compacted(self._compacted)

    def _check_fence(self, fence: Fence | None) -> None:
        self._end_leases()
        if fence is not None:
            found = self._standing(fence.key)
            if found is None or found.revision != fence.revision:
                raise Fenced(fence.key)

    def _expect(self, key: str, expected: int) -> None:
        found = self._standing(key)
        if found is None or found.revision != expected:
            raise Conflict(found)

    def _standing(self, key: str, at: int = 0) -> Stored | None:
        versions = self._versions.get(key)
        if not versions:
            return None
        if not at:
            return versions[-1][1]
        index = bisect_left(versions, at + 1, key=_BY_REVISION) - 1
        return versions[index][1] if index >= 0 else None

    def _keys_with(self, prefix: str, after: str) -> Iterator[str]:
        start = bisect_left(self._keys, prefix if after < prefix else after + "\0")
        for index in range(start, len(self._keys)):
            if not self._keys[index].startswith(prefix):
                return
            yield self._keys[index]

    def _commit(self, operations: list[tuple[str, bytes | None]]) -> int:
        """Put or (None) delete keys in one revision, and tell the watchers."""
        self._revision += 1
        changes = [self._write(key, value) for key, value in operations]
        self._log.append((self._revision, changes))
        self._wake()
        return self._revision

    def _write(self, key: str, value: bytes | None) -> StoreChange:
        before = self._standing(key)
        if key not in self._versions:
            insort(self._keys, key)
            self._versions[key] = []
        if value is None:
            self._versions[key].append((self._revision, None))
            return StoreChange(key, None, self._revision, 0, before)
        created = before.created if before is not None else self._revision
        self._versions[key].append((self._revision, Stored(key, value, self._revision, created)))
        return StoreChange(key, value, self._revision, created, before)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _leased_until(self, key: str, seconds: float, revision: int) -> int:
        if seconds:
            heappush(self._leased, (self._clock.monotonic() + seconds, key, revision))
        return revision

    def _end_leases(self) -> None:
        now = self._clock.monotonic()
        ended = []
        while self._leased and self._leased[0][0] <= now:
            _, key, revision = heappop(self._leased)
            found = self._standing(key)
            if found is not None and found.revision == revision:
                ended.append(key)
        if ended:
            self._commit([(key, None) for key in ended])
