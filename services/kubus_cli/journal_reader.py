"""Reading the journal: every event that it holds of a subject, then those that come, without a gap.

A JetStream push consumer over the plain bus: made by a request, it sends to our inbox, and sends on as we
acknowledge (so that a slow reader slows the server down instead of losing). A consumer does not outlive the server's
memory or a lost connection, so after a disturbance a new one starts behind the last message that came.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any, Literal

from kubus.bus import Bus, BusError, Disturbed, Message
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

    async def messages(self) -> AsyncIterator[list[Message]]:
        """Messages in batches, for ever.

        Raises:
            BusError: there is no journal.
        """
        arriving = await self._bus.subscribe(f"{self._inbox}.>")
        try:
            inbox = await self._consume()
            while True:
                batch = await arriving.next_batch()
                if any(isinstance(each, Disturbed) for each in batch):
                    inbox = await self._consume()
                    continue
                messages = [each for each in batch if isinstance(each, Message) and self._is_next(each, inbox)]
                if messages:
                    yield messages
                    await self._bus.publish(messages[-1].reply, b"+ACK")
        finally:
            await arriving.aclose()

    async def _consume(self) -> str:
        """Make a consumer; its name."""
        config: dict[str, Any] = {
            "name": f"reader-{secrets.token_hex(8)}",
            "deliver_subject": f"{self._inbox}.{secrets.token_hex(4)}",
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
        return str(config["name"])

    def _is_next(self, message: Message, consumer: str) -> bool:
        """Whether it is of the consumer that is read now, and new."""
        tokens = message.reply.split(".")
        if tokens[:2] != ["$JS", "ACK"] or consumer not in tokens:
            return False
        sequence = int(tokens[tokens.index(consumer) + 2])
        if sequence <= self._last_sequence:
            return False
        self._last_sequence = sequence
        return True
