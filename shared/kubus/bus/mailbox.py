"""The mailbox of a subscription: what has arrived and not yet been taken.

Both buses put messages into mailboxes and hand them out as `Subscription`s, so that a slow reader means the same
on either: a mailbox over its limits is emptied, and one `Disturbed` stands where the messages were. Emptying beats
dropping the newest, as the reader has to list again anyway and what was waiting is old by then.

Taking costs next to nothing when messages wait: `next_batch` hands the whole list over without a trip through the
event loop. A reader that is always behind would then never let others run, so it yields once a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from kubus.bus import Disconnected, Disturbed, Message

MESSAGES_MAX = 262_144
"""A burst of this many changes between two turns of a reader means that it should list."""
BYTES_MAX = 256 * 1024 * 1024


class Mailbox:
    """A `Subscription`: filled by a bus with `put`, emptied by its one reader."""

    def __init__(
        self,
        leave: Callable[[Mailbox], Awaitable[None]],
        *,
        messages_max: int = MESSAGES_MAX,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self._leave = leave
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._waiting: list[Message | Disturbed] = []
        self._bytes = 0
        self._reader: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the subscription has ended."""
        return self._closed

    def put(self, message: Message) -> None:
        """A message has arrived."""
        waiting = self._waiting
        self._bytes += len(message.data)
        if len(waiting) >= self._messages_max or self._bytes > self._bytes_max:
            self._waiting, self._bytes = [], 0
            self.disturb(f"the reader is too slow: {len(waiting)} messages waited")
            return
        waiting.append(message)
        if self._reader is not None:
            self._wake()

    def disturb(self, reason: str) -> None:
        """Messages may have been lost after those that wait."""
        self._waiting.append(Disturbed(reason))
        self._wake()

    def close(self) -> None:
        """No more will come; a waiting reader is told."""
        self._closed = True
        self._wake()

    async def next_batch(self) -> list[Message | Disturbed]:
        """Everything that has arrived, at least one.

        Raises:
            Disconnected: the subscription or the bus was closed.
        """
        if self._waiting:
            await asyncio.sleep(0)  # a reader that is always behind must let others run
        while not self._waiting:
            if self._closed:
                raise Disconnected("the subscription is closed")
            if self._reader is not None:
                raise RuntimeError("a subscription has one reader")
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        batch, self._waiting, self._bytes = self._waiting, [], 0
        return batch

    async def __aiter__(self) -> AsyncIterator[Message | Disturbed]:
        """What arrives, until the subscription is closed."""
        while True:
            try:
                batch = await self.next_batch()
            except Disconnected:
                return
            for item in batch:
                yield item

    async def aclose(self) -> None:
        """End the subscription."""
        if not self._closed:
            self.close()
            await self._leave(self)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
