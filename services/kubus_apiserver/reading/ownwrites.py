"""The store as this apiserver writes to it: what is acknowledged goes into the watch cache at once.

The store's stream of changes brings every write too, mostly before its acknowledgement, but not always. Rights,
admission and validation look things up in the cache without asking the store: whoever has the answer to a grant, a
quota or a class may rely on it in the next request. So each acknowledged write is told to the cache here; the cache
takes it as soon as it has all before it (other writers' come by the stream), and passes over it when the stream
brings it again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from kubus.store import Fence, Page, Store, StoreChange, Stored
from kubus_apiserver.reading.watchcache import WatchCache


class OwnWrites:
    """`kubus.store.Store` that tells a cache what it has written."""

    def __init__(self, store: Store, cache: WatchCache) -> None:
        self._store = store
        self._cache = cache

    async def get(self, key: str, *, at: int = 0) -> Stored | None:
        """See `Store.get`."""
        return await self._store.get(key, at=at)

    async def page(self, prefix: str, *, after: str = "", limit: int = 0, at: int = 0) -> Page:
        """See `Store.page`."""
        return await self._store.page(prefix, after=after, limit=limit, at=at)

    async def revision(self) -> int:
        """See `Store.revision`."""
        return await self._store.revision()

    async def history(self) -> str:
        """See `Store.history`."""
        return await self._store.history()

    async def create(self, key: str, value: bytes, *, fence: Fence | None = None, ttl_seconds: int = 0) -> int:
        """See `Store.create`."""
        revision = await self._store.create(key, value, fence=fence, ttl_seconds=ttl_seconds)
        self._cache.acknowledged(StoreChange(key, value, revision, revision, None))
        return revision

    async def replace(
        self, key: str, value: bytes, *, expected: int, fence: Fence | None = None, ttl_seconds: int = 0
    ) -> int:
        """See `Store.replace`."""
        revision = await self._store.replace(key, value, expected=expected, fence=fence, ttl_seconds=ttl_seconds)
        self._cache.acknowledged(StoreChange(key, value, revision, 0, None))
        return revision

    async def delete(
        self, key: str, *, expected: int, note: tuple[str, bytes] | None = None, fence: Fence | None = None
    ) -> int:
        """See `Store.delete`. The note is of no interest to the cache."""
        revision = await self._store.delete(key, expected=expected, note=note, fence=fence)
        self._cache.acknowledged(StoreChange(key, None, revision, 0, None))
        return revision

    def changes(self, prefix: str, *, after: int) -> AsyncGenerator[list[StoreChange], None]:
        """See `Store.changes`."""
        return self._store.changes(prefix, after=after)

    async def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        await self._store.compact(revision)

    async def aclose(self) -> None:
        """See `Store.aclose`."""
        await self._store.aclose()
