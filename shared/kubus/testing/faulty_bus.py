"""A bus that loses, repeats and reorders, as the real one may: what consumers have to survive.

Faults of messages happen where a subscription is read, so that two subscribers suffer differently, and only to events
and beats by default. A request may get no answer: it was lost on the way, or the reply was, and then what was asked for
has happened. And everything may take its time. One seed, one story.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from random import Random

from kubus.bus import Bus, Disconnected, Disturbed, Handler, Message, RequestTimeout, Subscription


@dataclass(slots=True)
class Faults:
    """How likely each fault is for a message. Set all to 0 to let the world come to rest."""

    lose: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    """Put behind the messages that come next."""
    disturb: float = 0.0
    """Announced, and with it everything that waited is lost."""
    unasked: float = 0.0
    """Of requests: lost on the way."""
    unanswered: float = 0.0
    """Of requests: the reply is lost."""
    latency_seconds_max: float = 0.0
    """A batch of messages and a request take up to so long; `stop` leaves this as it is."""

    def stop(self) -> None:
        """No more faults from now on."""
        self.lose = self.repeat = self.delay = self.disturb = self.unasked = self.unanswered = 0.0

    async def take_time(self, random: Random) -> None:
        """Be on the way."""
        if self.latency_seconds_max:
            await asyncio.sleep(random.random() * self.latency_seconds_max)


def is_news(subject: str) -> bool:
    """Whether a subject carries events or beats."""
    return subject.startswith("kubus.ev.") or ".ev." in subject or subject.startswith("kubus.beat.")


class FaultyBus:
    """A `Bus` around another one. `on_message` hears of each message of a touched subject, and whether it was lost."""

    def __init__(
        self,
        inner: Bus,
        faults: Faults,
        random: Random,
        *,
        touches: Callable[[str], bool] = is_news,
        on_message: Callable[[Message, bool], None] = lambda message, lost: None,
    ) -> None:
        self._inner = inner
        self._faults = faults
        self._random = random
        self._touches = touches
        self._on_message = on_message

    async def publish(self, subject: str, data: bytes, *, headers: dict[str, str] | None = None) -> None:
        """Untouched."""
        await self._inner.publish(subject, data, headers=headers)

    async def flush(self) -> None:
        """Untouched."""
        await self._inner.flush()

    async def subscribe(self, subject: str, *, group: str = "") -> Subscription:
        """A subscription with faults, where the subject is one to be touched."""
        inner = await self._inner.subscribe(subject, group=group)
        if not self._touches(subject):
            return inner
        return FaultySubscription(inner, self._faults, self._random, self._on_message)

    async def request(self, subject: str, data: bytes, *, timeout_seconds: float = 10.0) -> bytes:
        """Asked, unless a fault keeps the question or the answer."""
        await self._faults.take_time(self._random)
        if self._random.random() < self._faults.unasked:
            await asyncio.sleep(timeout_seconds)
            raise RequestTimeout("a fault: the request was lost")
        reply = await self._inner.request(subject, data, timeout_seconds=timeout_seconds)
        if self._random.random() < self._faults.unanswered:
            await asyncio.sleep(timeout_seconds)
            raise RequestTimeout("a fault: the reply was lost")
        return reply

    async def serve(self, subject: str, handler: Handler, *, group: str = "", concurrency: int = 256) -> Subscription:
        """Untouched."""
        return await self._inner.serve(subject, handler, group=group, concurrency=concurrency)

    async def aclose(self) -> None:
        """Untouched."""
        await self._inner.aclose()


class FaultySubscription:
    """A `Subscription` that suffers."""

    def __init__(
        self, inner: Subscription, faults: Faults, random: Random, on_message: Callable[[Message, bool], None]
    ) -> None:
        self._inner = inner
        self._faults = faults
        self._random = random
        self._on_message = on_message
        self._late: list[Message] = []

    async def next_batch(self) -> list[Message | Disturbed]:
        """What arrived, or what is left of it; at least one."""
        while True:
            arrived = await self._inner.next_batch()
            await self._faults.take_time(self._random)
            batch = self._spoil(arrived)
            if batch:
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
        await self._inner.aclose()

    def _spoil(self, batch: list[Message | Disturbed]) -> list[Message | Disturbed]:
        faults, chance = self._faults, self._random.random
        spoiled: list[Message | Disturbed] = []
        late, self._late = self._late, []
        for item in batch:
            if isinstance(item, Disturbed):
                spoiled.append(item)
            elif chance() < faults.disturb:
                spoiled = [Disturbed("a fault")]
            elif chance() < faults.lose:
                self._on_message(item, True)
            elif chance() < faults.delay:
                self._late.append(item)
            else:
                spoiled += [item, item] if chance() < faults.repeat else [item]
        spoiled += late
        for passed in spoiled:
            if isinstance(passed, Message):
                self._on_message(passed, False)
        return spoiled
