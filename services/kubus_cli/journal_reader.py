"""Reading the journal: the events that it holds of a subject, from some place on, then those that come, without a gap.

A JetStream push consumer over the plain bus: made by a request, it sends to our inbox, and sends on as we
acknowledge (so that a slow reader slows the server down instead of losing). A consumer does not outlive the server's
memory or a lost connection, so after a disturbance a new one starts behind the last message that came.

A reader that begins in the past reads nothing before its beginning: JetStream finds a moment by itself, and a revision
is searched by halving, since revisions grow with places. What stood before a change is asked for when it is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, Literal

from kubus.bus import Bus, BusError, Disconnected, Disturbed, Message, Subscription
from kubus.bus.subjects import EVENTS, inbox_prefix
from kubus.bus.wire import decode_event
from kubus.model.codec import from_json, to_json
from kubus.model.times import rfc3339_micro
from kubus_cli.failures import Misused

STREAM = "JOURNAL"
UNACKNOWLEDGED_MAX = 2048
_SECOND_NS = 1_000_000_000
_RETRY_SECONDS = 0.2
_ASK_SECONDS = 5.0
Start = Literal["all", "last_per_subject", "new"] | int | datetime
"""Where reading begins; a number is a place in the stream, a datetime the moment at which an event was stored."""


class JournalReader:
    """Events of a subject from the journal."""

    def __init__(self, bus: Bus, identity: str, subject: str, start: Start) -> None:
        self._bus = bus
        self._subject = subject
        self._start: Start = start
        self._inbox = f"{inbox_prefix(identity)}.journal.{secrets.token_hex(8)}"
        self._last_sequence = 0
        self.held = 0
        """How many messages the journal held when reading began: the first so many are not news."""

    async def messages(self) -> AsyncGenerator[list[Message], None]:
        """Messages in batches, for ever.

        Raises:
            BusError: there is no journal.
        """
        while True:
            try:
                async for messages in self._one_consumer():
                    yield messages
            except Disconnected:  # the bus connects again by itself
                await asyncio.sleep(_RETRY_SECONDS)

    async def _one_consumer(self) -> AsyncGenerator[list[Message], None]:
        inbox = f"{self._inbox}.{secrets.token_hex(4)}"  # of its own, so that a consumer given up is not heard
        arriving = await self._bus.subscribe(inbox)
        try:
            await self._consume(inbox)
            async for messages in self._undisturbed(arriving):
                yield messages
                await self._bus.publish(messages[-1].reply, b"+ACK")
        finally:
            with contextlib.suppress(Disconnected):
                await arriving.aclose()

    async def before(self, message: Message) -> bytes | None:
        """The event of the same subject before a message; None where the journal holds none.

        Raises:
            BusError: the journal cannot be asked.
        """
        question = {"multi_last": [message.subject], "up_to_seq": stream_sequence(message.reply) - 1}
        return await _direct_get(self._bus, question) or None

    async def _undisturbed(self, arriving: Subscription) -> AsyncGenerator[list[Message], None]:
        while True:
            batch = await arriving.next_batch()
            messages = [each for each in batch if isinstance(each, Message) and self._is_next(each)]
            if messages:
                yield messages
            if any(isinstance(each, Disturbed) for each in batch):
                return

    async def _consume(self, inbox: str) -> None:
        """Make a consumer that sends to an inbox; the server sends only where somebody subscribes to exactly that."""
        config: dict[str, Any] = {
            "name": f"reader-{secrets.token_hex(8)}",
            "deliver_subject": inbox,
            **_delivery(self._start),
            "filter_subject": self._subject,
            "ack_policy": "all",
            "ack_wait": 30 * _SECOND_NS,
            "max_ack_pending": UNACKNOWLEDGED_MAX,
            "inactive_threshold": 30 * _SECOND_NS,
            "mem_storage": True,
        }
        if self._last_sequence:
            config |= {"deliver_policy": "by_start_sequence", "opt_start_seq": self._last_sequence + 1}
        request = to_json({"stream_name": STREAM, "config": config})
        subject = f"$JS.API.CONSUMER.CREATE.{STREAM}.{config['name']}.{self._subject}"
        answer = from_json(await self._bus.request(subject, request, timeout_seconds=5.0))
        if "error" in answer:
            raise BusError(f"the journal: {answer['error'].get('description', answer['error'])}")
        if not self._last_sequence:
            self.held = int(answer.get("num_pending", 0))

    def _is_next(self, message: Message) -> bool:
        """Whether it is a new one; what the server sends besides (its own signs of life) has another reply subject."""
        sequence = stream_sequence(message.reply)
        if sequence <= self._last_sequence:
            return False
        self._last_sequence = sequence
        return True


def _delivery(start: Start) -> dict[str, Any]:
    """Where a consumer begins, as JetStream takes it."""
    if isinstance(start, datetime):
        return {"deliver_policy": "by_start_time", "opt_start_time": rfc3339_micro(start)}
    if isinstance(start, int):
        return {"deliver_policy": "by_start_sequence", "opt_start_seq": max(start, 1)}
    return {"deliver_policy": start}


async def place_of_revision(bus: Bus, revision: int) -> int:
    """The place in the journal of the first event of a revision or a later one.

    Raises:
        Misused: the journal holds no event of this revision or a later one.
        BusError: there is no journal, or it cannot be asked.
    """
    answer = from_json(await bus.request(f"$JS.API.STREAM.INFO.{STREAM}", b"", timeout_seconds=_ASK_SECONDS))
    if "error" in answer:
        raise BusError(f"the journal: {answer['error'].get('description', answer['error'])}")
    low, end = int(answer["state"]["first_seq"]), int(answer["state"]["last_seq"]) + 1
    high = end
    while low < high:
        middle = (low + high) // 2
        found = await _direct_get(bus, {"seq": middle, "next_by_subj": EVENTS})
        if found and decode_event(found).revision < revision:
            low = middle + 1
        else:
            high = middle
    if low == end and (newest := await _direct_get(bus, {"last_by_subj": EVENTS})):
        last = decode_event(newest).revision
        why = f"r{revision} has not happened yet: the newest event is r{last}"
        raise Misused(why, "leave --since away for what comes")
    return low


async def _direct_get(bus: Bus, question: dict[str, Any]) -> bytes:
    """One event of the journal; b"" where there is none."""
    return await bus.request(f"$JS.API.DIRECT.GET.{STREAM}", to_json(question), timeout_seconds=_ASK_SECONDS)


def stream_sequence(reply: str) -> int:
    """A message's place in the stream, from `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.…`; 0 of any other."""
    tokens = reply.split(".")
    if tokens[:2] != ["$JS", "ACK"] or STREAM not in tokens[:-3]:
        return 0
    return int(tokens[tokens.index(STREAM) + 3])
