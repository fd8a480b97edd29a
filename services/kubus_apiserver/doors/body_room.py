"""Room for request bodies: how many bytes of them this process holds at once.

A body is announced before it comes. Its whole length is reserved then, so whoever has room can go on to the end and
nobody waits for room while holding some; who has none is not read from. What holds room has a deadline, so room comes
free. Bodies that come in one piece with their head are never waited for and need none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, Gauge

BYTES_MAX = 32 * 1024 * 1024
"""Ten bodies of the largest size. Read, one becomes several times as much."""


class BodyRoom:
    """Bytes that are left, and who waits for them, in order."""

    def __init__(self, bytes_max: int = BYTES_MAX, metrics: CollectorRegistry | None = None) -> None:
        self.bytes_max = bytes_max
        self.used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        held = Gauge("apiserver_request_body_bytes", "Bytes reserved for request bodies in flight", registry=metrics)
        held.set_function(lambda: self.used)

    def take(self, size: int) -> asyncio.Future[None] | None:
        """Reserve room: None if it is reserved, else a future that is done when it is. Cancel it to give up."""
        if not self._waiting and self.used + size <= self.bytes_max:
            self.used += size
            return None
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        return turn

    def give_back(self, size: int) -> None:
        """Leave reserved room to who is next."""
        self.used -= size
        self.wake()

    def wake(self) -> None:
        """Let in whoever fits now, in order."""
        while self._waiting:
            wanted, turn = self._waiting[0]
            if turn.done():  # given up
                self._waiting.popleft()
            elif self.used + wanted <= self.bytes_max:
                self._waiting.popleft()
                self.used += wanted
                turn.set_result(None)
            else:
                return

    @asynccontextmanager
    async def reserved(self, size: int) -> AsyncIterator[None]:
        """A context that has room."""
        turn = self.take(size)
        if turn is not None:
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.give_back(size)
                else:
                    self.wake()
                raise
        try:
            yield
        finally:
            self.give_back(size)
