"""What keeps the watch cache filled and tells how fresh it has to be.

`Follower` reads everything once, then follows the store's changes; if history was compacted under it, it reads
everything again, and also if the store was restored from a backup, or has lost a change without a word, as etcd 3.4
may when a compaction overtakes a slow watch. `Freshness` answers "which revision makes a read consistent?": one
question to the store serves everybody who came before it was asked, and whoever comes while one is under way takes the
next, so that consistent reads cost one small round trip together, not one each. Where many read at once the next
question waits a moment for more of them, because it costs more than all the rest of a read.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Protocol

from kubus.model.errors import StatusError, timeout, unavailable
from kubus.model.records import NOTES, ROOT
from kubus.store import Compacted, Reverted, Store, Stored, StoreError
from kubus_apiserver.reading.watchcache import WatchCache

_PAGE = 2000
_PATIENCE_SECONDS = 3.0
"""How long a read waits for the cache to reach a revision; Kubernetes waits as long."""
_PAUSE_SECONDS = 0.2
_MANY, _ENOUGH = 4, 16
"""Readers of one question: from the first on the next waits for more of them, from the second on they come anyway."""
_GATHERING_SECONDS = 0.001


class Follower:
    """Feeds a watch cache from a store."""

    def __init__(self, store: Store, cache: WatchCache) -> None:
        self._store = store
        self._cache = cache
        self.loaded = asyncio.Event()
        """Set once the cache holds everything."""

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            try:
                items, revision = await self._everything()
                self._cache.replace(items, revision)
                self.loaded.set()
                await self._follow()
            except Compacted:
                continue
            except StoreError:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _everything(self) -> tuple[list[Stored], int]:
        items: list[Stored] = []
        page = await self._store.page(ROOT, limit=_PAGE)
        items += page.items
        revision = page.revision
        while page.more:
            page = await self._store.page(ROOT, after=page.items[-1].key, limit=_PAGE, at=revision)
            items += page.items
        return [item for item in items if not item.key.startswith(NOTES)], revision

    async def _follow(self) -> None:
        while True:
            try:
                async with aclosing(self._store.changes(ROOT, after=self._cache.revision)) as batches:
                    async for batch in batches:
                        if batch:
                            self._cache.apply(batch)
                            if self._cache.is_incomplete:
                                return
            except Compacted:
                raise
            except StoreError:
                await asyncio.sleep(_PAUSE_SECONDS)


class Reader(Protocol):
    """What freshness needs of a store."""

    async def revision(self) -> int:
        """The newest revision."""


class Freshness:
    """Consistent reads from a cache."""

    def __init__(self, store: Reader, cache: WatchCache, *, gathering_seconds: float = _GATHERING_SECONDS) -> None:
        self._store = store
        self._cache = cache
        self._gathering_seconds = gathering_seconds
        self._waiting: list[asyncio.Future[int]] = []
        self._asked = asyncio.Event()

    async def run(self) -> None:
        """Answer rounds of questions for ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            current, self._waiting = self._waiting, []
            known = self._cache.revision
            try:
                revision = await self._store.revision()
                if revision < known:
                    raise Reverted(revision)
            except Reverted:
                refusal = unavailable("the store was restored from a backup and is read anew")
                for each in current:
                    if not each.done():
                        each.set_exception(refusal)
            except StoreError as error:
                for each in current:
                    if not each.done():
                        each.set_exception(unavailable(f"the store does not answer: {error}"))
            else:
                for each in current:
                    if not each.done():
                        each.set_result(revision)
            if _MANY <= len(current) < _ENOUGH:
                await asyncio.sleep(self._gathering_seconds)

    async def consistent(self) -> None:
        """Wait until the cache has every write that was acknowledged before this call.

        Raises:
            StatusError: 503 or 504, the store or the cache did not get there in time.
        """
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(told)
        self._asked.set()
        revision = await told
        if self._cache.revision < revision:
            await self.at_least(revision)

    async def at_least(self, revision: int) -> None:
        """Wait until the cache has reached a revision.

        Raises:
            StatusError: 504, it has not, or the revision lies in the future.
        """
        reached = self._cache.reached(revision)
        if reached is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await reached
        except TimeoutError:
            raise _too_large(revision, self._cache.revision) from None


def _too_large(revision: int, current: int) -> StatusError:
    error = timeout(f"Too large resource version: {revision}, current: {current}")
    error.details["causes"] = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return error
