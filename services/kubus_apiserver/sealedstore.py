"""A store that holds Secrets sealed: everybody above it sees plain records, etcd and its readers never do.

What cannot be opened is handed on as it stands, to be set aside as every unreadable object is. Kubernetes calls this
encryption at rest; here there is no way without it, and it is the store's format that ensures it
(`kubus.model.sealing`), not the care of each reader.

https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from kubus.model.codec import DecodeError
from kubus.model.records import collection_prefix
from kubus.model.sealing import Seals
from kubus.store import Conflict, Fence, Page, Store, StoreChange, Stored

SECRETS = collection_prefix("secrets.core")
_PAGE = 500


class SealedStore:
    """A `Store` on another one."""

    def __init__(self, store: Store, seals: Seals) -> None:
        self._store = store
        self._seals = seals

    async def get(self, key: str, *, at: int = 0) -> Stored | None:
        """See Store."""
        found = await self._store.get(key, at=at)
        return found if found is None else self._opened(found)

    async def page(self, prefix: str, *, after: str = "", limit: int = 0, at: int = 0) -> Page:
        """See Store."""
        page = await self._store.page(prefix, after=after, limit=limit, at=at)
        return page._replace(items=[self._opened(each) for each in page.items])

    async def revision(self) -> int:
        """See Store."""
        return await self._store.revision()

    async def history(self) -> str:
        """See Store."""
        return await self._store.history()

    async def create(self, key: str, value: bytes, *, fence: Fence | None = None, ttl_seconds: int = 0) -> int:
        """See Store."""
        return await self._store.create(key, self._sealed(key, value), fence=fence, ttl_seconds=ttl_seconds)

    async def replace(
        self, key: str, value: bytes, *, expected: int, fence: Fence | None = None, ttl_seconds: int = 0
    ) -> int:
        """See Store."""
        sealed = self._sealed(key, value)
        try:
            return await self._store.replace(key, sealed, expected=expected, fence=fence, ttl_seconds=ttl_seconds)
        except Conflict as lost:
            raise self._told(lost) from None

    async def delete(
        self, key: str, *, expected: int, note: tuple[str, bytes] | None = None, fence: Fence | None = None
    ) -> int:
        """See Store."""
        try:
            return await self._store.delete(key, expected=expected, note=note, fence=fence)
        except Conflict as lost:
            raise self._told(lost) from None

    async def changes(self, prefix: str, *, after: int) -> AsyncGenerator[list[StoreChange], None]:
        """See Store."""
        async with aclosing(self._store.changes(prefix, after=after)) as batches:
            async for batch in batches:
                yield [self._seen(each) if each.key.startswith(SECRETS) else each for each in batch]

    async def compact(self, revision: int) -> None:
        """See Store."""
        await self._store.compact(revision)

    async def aclose(self) -> None:
        """See Store."""
        await self._store.aclose()

    async def renew(self) -> int:
        """Seal with the newest key what was sealed with another one; how many Secrets that were."""
        renewed, page = 0, await self._store.page(SECRETS, limit=_PAGE)
        while True:
            for each in page.items:
                with suppress(DecodeError, Conflict):  # unreadable, or written meanwhile: with the newest key
                    if not self._seals.is_newest(each.value):
                        value = self._seals.seal(each.key, self._seals.open(each.key, each.value))
                        await self._store.replace(each.key, value, expected=each.revision)
                        renewed += 1
            if not page.more:
                return renewed
            page = await self._store.page(SECRETS, after=page.items[-1].key, limit=_PAGE)

    def _sealed(self, key: str, value: bytes) -> bytes:
        return self._seals.seal(key, value) if key.startswith(SECRETS) else value

    def _opened(self, stored: Stored) -> Stored:
        if not stored.key.startswith(SECRETS):
            return stored
        try:
            return stored._replace(value=self._seals.open(stored.key, stored.value))
        except DecodeError:
            return stored

    def _seen(self, change: StoreChange) -> StoreChange:
        value, before = change.value, change.before
        if value is not None:
            with suppress(DecodeError):
                value = self._seals.open(change.key, value)
        return change._replace(value=value, before=before if before is None else self._opened(before))

    def _told(self, lost: Conflict) -> Conflict:
        return lost if lost.current is None else Conflict(self._opened(lost.current))
