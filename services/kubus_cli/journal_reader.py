"""Reading the journal: every event that it holds of a subject, then those that come, without a gap.

A JetStream push consumer over the plain bus: made by a request, it sends to our inbox, and sends on as we
acknowledge (so that a slow reader slows the server down instead of losing). A consumer does not outlive the server's
memory or a lost connection, so after a disturbance a new one starts behind the last message that came.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from typing import Any, Literal

from kubus.bus import Bus, BusError, Disturbed, Message, Subscription
from kubus.bus.subjects import inbox_prefix
from kubus.model.codec import from_json, to_json

STREAM = "JOURNAL"
UNACKNOWLEDGED_MAX = 2048
_SECOND_NS = 1_000_000_000
Start = Literal["all", "last_per_subject", "new"]


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
            inbox = f"{self._inbox}.{secrets.token_hex(4)}"  # of its own, so that a consumer given up is not heard
            arriving = await self._bus.subscribe(inbox)
            try:
                await self._consume(inbox)
                async for messages in self._undisturbed(arriving):
                    yield messages
                    await self._bus.publish(messages[-1].reply, b"+ACK")
            finally:
                await arriving.aclose()

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
            "deliver_policy": self._start,
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


def stream_sequence(reply: str) -> int:
    """A message's place in the stream, from `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.…`; 0 of any other."""
    tokens = reply.split(".")
    if tokens[:2] != ["$JS", "ACK"] or STREAM not in tokens[:-3]:
        return 0
    return int(tokens[tokens.index(STREAM) + 3])
