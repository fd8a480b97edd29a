"""A store that is away now and then: before a write, or after it, when nobody knows whether it happened.

The second kind is the interesting one. Whoever retries a write blindly after `Unavailable` is found out by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from kubus.store import Fence, Page, Store, StoreChange, Stored, Unavailable

T = TypeVar("T")


@dataclass(slots=True)
class StoreFaults:
    """How likely each fault is for an operation."""

    refuse: float = 0.0
    """Unavailable, and nothing has happened."""
    silence: float = 0.0
    """Unavailable, and the write has happened."""
    latency_seconds_max: float = 0.0
    """The way to the store takes up to so long, and the way back; `stop` leaves this as it is."""

    def stop(self) -> None:
        """No more faults from now on."""
        self.refuse = self.silence = 0.0


class FaultyStore:
    """A `Store` around another one."""

    def __init__(self, inner: Store, faults: StoreFaults, random: Random) -> None:
        self._inner = inner
        self._faults = faults
        self._random = random

    async def get(self, key: str, *, at: int = 0) -> Stored | None:
        """Refused now and then."""
        return await self._read(lambda: self._inner.get(key, at=at))

    async def page(self, prefix: str, *, after: str = "", limit: int = 0, at: int = 0) -> Page:
        """Refused now and then."""
        return await self._read(lambda: self._inner.page(prefix, after=after, limit=limit, at=at))

    async def revision(self) -> int:
        """Refused now and then."""
        return await self._read(self._inner.revision)

    async def create(self, key: str, value: bytes, *, fence: Fence | None = None, ttl_seconds: int = 0) -> int:
        """Refused now and then, or done without a word."""
        return await self._write(lambda: self._inner.create(key, value, fence=fence, ttl_seconds=ttl_seconds))

    async def history(self) -> str:
        """Refused now and then."""
        return await self._read(self._inner.history)

    async def replace(
        self, key: str, value: bytes, *, expected: int, fence: Fence | None = None, ttl_seconds: int = 0
    ) -> int:
        """Refused now and then, or done without a word."""
        return await self._write(
            lambda: self._inner.replace(key, value, expected=expected, fence=fence, ttl_seconds=ttl_seconds)
        )

    async def delete(
        self, key: str, *, expected: int, note: tuple[str, bytes] | None = None, fence: Fence | None = None
    ) -> int:
        """Refused now and then, or done without a word."""
        return await self._write(lambda: self._inner.delete(key, expected=expected, note=note, fence=fence))

    def changes(self, prefix: str, *, after: int) -> AsyncGenerator[list[StoreChange], None]:
        """A little late: a store resumes its watches without loss."""
        return self._changes(prefix, after)

    async def _changes(self, prefix: str, after: int) -> AsyncGenerator[list[StoreChange], None]:
        async with aclosing(self._inner.changes(prefix, after=after)) as batches:
            async for batch in batches:
                await self._take_time()
                yield batch

    async def compact(self, revision: int) -> None:
        """Untouched."""
        await self._inner.compact(revision)

    async def aclose(self) -> None:
        """Untouched."""
        await self._inner.aclose()

    async def _read(self, operation: Callable[[], Awaitable[T]]) -> T:
        await self._take_time()
        if self._random.random() < self._faults.refuse:
            raise Unavailable("a fault: refused")
        result = await operation()
        await self._take_time()
        return result

    async def _write(self, operation: Callable[[], Awaitable[T]]) -> T:
        result = await self._read(operation)
        if self._random.random() < self._faults.silence:
            raise Unavailable("a fault: done, but nobody was told")
        return result

    async def _take_time(self) -> None:
        if self._faults.latency_seconds_max:
            await asyncio.sleep(self._random.random() * self._faults.latency_seconds_max)
