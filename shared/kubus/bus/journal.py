"""The journal: the JetStream stream that keeps the events, and the door through which they enter it.

Events are published as on any bus; the stream `JOURNAL` captures `kubus.ev.>` as they pass, so live subscribers wait
for no disk. What makes that safe is two headers. `Nats-Msg-Id` names an event (`<revision>:<subject>`), and
`Nats-Expected-Last-Msg-Id` names its predecessor: the server takes an event only right after the one before it. So
the journal is a chain without a gap, whatever is lost on the way, sent twice, sent late by a client that buffered it,
or sent by two relays at once. Whether an event has entered is seen by looking at the newest one: `confirm`.

A store that is restored from a backup begins another history, whose revisions are lower. What was journalled before
stays and can be read; an event on `RESTORED` stands between, and nothing older counts as the newest of anything.

A file that could not be written, as on a full disk, leaves the stream dead: nats-server 2.15 refuses everything that
comes later, also when there is space again, and says so only where something is asked that would write. `open` asks,
and deletes a dead stream, to make it anew the next time; its history is lost, and its space free.

A journal that has lost an event stands still, and who publishes begins again after what it holds. It is a cache:
it may be empty, or be forgotten, and is made anew.

JetStream is asked in its own JSON over the bus (`$JS.API.…`), so any `Bus` over NATS will do.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from typing import Any, Protocol

from kubus.bus import Bus, BusError
from kubus.bus.subjects import EVENTS, collection_subject, event_subject
from kubus.model.codec import from_json, to_json
from kubus.model.objects import Key

STREAM = "JOURNAL"
RESTORED = Key("restored.kubus", "", "journal")
"""The subject of events that say: the store was restored from a backup; from here on another history is told."""
_UNCONFIRMED_MAX = 4000
"""JetStream drops what it has not stored yet beyond 10,000 messages; a stop there would start everything again."""
_STANDSTILL_SECONDS = 3.0
_SECOND_NS = 1_000_000_000
_ASK_SECONDS = 2.0
_NO_MESSAGE = 10037
"""JetStream's err_code for a subject without a message."""
_OTHER_CONFIG = 10058
"""JetStream's err_code for a stream that exists with other limits."""
_NO_EVENT = event_subject(Key("journal.kubus", "", "none"))
"""A subject of the journal that never has an event."""
_REFUSED = "none:refused"
"""The name of an event that there never was: what names it as its predecessor does not enter."""


class JournalError(BusError):
    """The journal did not take what was published, or cannot be asked: open it again and publish what it lacks."""


class Journal(Protocol):
    """Events in order, published and kept."""

    async def open(self) -> int:
        """Make sure that there is a journal, and begin after what it holds: the newest revision, 0 if it is empty.

        Raises:
            BusError
        """

    async def newest_of(self, collection: str) -> int:
        """The revision of the newest event of a collection; 0 if it holds none.

        Raises:
            BusError
        """

    async def publish(self, subject: str, data: bytes, revision: int) -> None:
        """Publish an event; it follows the one before it.

        Raises:
            BusError
        """

    async def bypass(self, subject: str, data: bytes) -> None:
        """Publish an event to those who listen, and keep it out of the journal.

        Raises:
            BusError: the bus does not take it either.
        """

    async def confirm(self) -> None:
        """Look whether what was published has entered; waits only where too much is under way.

        Raises:
            BusError: it has not, for seconds.
        """

    async def begin_history(self, data: bytes, revision: int) -> None:
        """Publish the event that another history begins at a revision. `open` again before anything else.

        Raises:
            BusError
        """


class NatsJournal:
    """The journal in JetStream."""

    def __init__(self, bus: Bus, *, bytes_max: int = 256 * 1024 * 1024, days_max: int = 7) -> None:
        self._bus = bus
        self._config = {
            "name": STREAM,
            "subjects": [EVENTS],
            "retention": "limits",
            "storage": "file",
            "discard": "old",
            "max_bytes": bytes_max,
            "max_age": days_max * 86_400 * _SECOND_NS,
            "duplicate_window": 10 * _SECOND_NS,  # the chain refuses what is older
            "allow_direct": True,
        }
        self._last_id = ""
        self._origin = 0
        self._unconfirmed = 0
        self._published = 0
        self._confirmed = 0
        self._progress_at = 0.0

    async def open(self) -> int:
        """See `Journal.open`."""
        await self._make()
        if "error" in (answer := await self._ask("STREAM.PURGE", {"filter": _NO_EVENT})):
            await self._ask("STREAM.DELETE", {})
            raise JournalError(f"the journal is given up, and made anew: {answer['error'].get('description')}")
        self._origin = (await self._newest(event_subject(RESTORED)))[1]
        self._last_id = (await self._newest(EVENTS))[0]
        self._unconfirmed = 0
        self._published = self._confirmed = _revision(self._last_id)
        return self._confirmed

    async def newest_of(self, collection: str) -> int:
        """See `Journal.newest_of`."""
        message_id, sequence = await self._newest(collection_subject(collection))
        return _revision(message_id) if sequence >= self._origin else 0

    async def publish(self, subject: str, data: bytes, revision: int) -> None:
        """See `Journal.publish`."""
        message_id = f"{revision}:{subject}"
        if self._origin:  # the same revision of the same object may stand in the history before
            message_id += f":{self._origin}"
        headers = {"Nats-Msg-Id": message_id}
        if self._last_id:
            headers["Nats-Expected-Last-Msg-Id"] = self._last_id
        if self._unconfirmed == 0:
            self._progress_at = _now()
        await self._bus.publish(subject, data, headers=headers)
        self._last_id = message_id
        self._published = revision
        self._unconfirmed += 1
        if self._unconfirmed > _UNCONFIRMED_MAX:
            await self._drain()

    async def bypass(self, subject: str, data: bytes) -> None:
        """See `Journal.bypass`."""
        await self._bus.publish(subject, data, headers={"Nats-Expected-Last-Msg-Id": _REFUSED})

    async def confirm(self) -> None:
        """See `Journal.confirm`."""
        if self._unconfirmed == 0:
            return
        newest = _revision((await self._newest(EVENTS))[0])
        if newest >= self._published:
            self._unconfirmed = 0
        elif newest < self._confirmed:
            raise JournalError(f"the journal has gone back from {self._confirmed} to {newest}")
        elif newest == self._confirmed and _now() - self._progress_at > _STANDSTILL_SECONDS:
            raise JournalError(f"the journal stands at {newest} and does not take what follows")
        if newest != self._confirmed:
            self._progress_at = _now()
        self._confirmed = newest

    async def begin_history(self, data: bytes, revision: int) -> None:
        """See `Journal.begin_history`."""
        await self.publish(event_subject(RESTORED), data, revision)
        until = _now() + _STANDSTILL_SECONDS
        while (await self._newest(EVENTS))[0] != self._last_id:
            if _now() > until:
                raise JournalError("the journal does not take that another history begins")
            await asyncio.sleep(0.01)

    async def _make(self) -> None:
        answer = await self._ask("STREAM.CREATE", self._config)
        if answer.get("error", {}).get("err_code") == _OTHER_CONFIG:
            answer = await self._ask("STREAM.UPDATE", self._config)
        if "error" in answer:
            raise JournalError(f"no journal: {answer['error'].get('description', answer['error'])}")

    async def _drain(self) -> None:
        await self.confirm()
        while self._unconfirmed:
            await asyncio.sleep(0.01)
            await self.confirm()

    async def _newest(self, subject: str) -> tuple[str, int]:
        """The message id and the sequence number of the newest message of a subject; ("", 0) if there is none."""
        answer = await self._ask("STREAM.MSG.GET", {"last_by_subj": subject})
        error = answer.get("error")
        if error is None:
            return _message_id(b64decode(answer["message"].get("hdrs", ""))), int(answer["message"]["seq"])
        if error.get("err_code") == _NO_MESSAGE:
            return "", 0
        raise JournalError(f"the journal does not answer: {error}")

    async def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        subject = f"$JS.API.{what}.{STREAM}"
        answer = from_json(await self._bus.request(subject, to_json(body), timeout_seconds=_ASK_SECONDS))
        if not isinstance(answer, dict):
            raise JournalError("the journal's answer is no JetStream answer")
        return answer


class MemoryJournal:
    """The journal in memory, in front of any bus: a chain as JetStream's is. Its entries outlive who writes them."""

    def __init__(self, bus: Bus, entries: list[tuple[str, bytes, int]] | None = None) -> None:
        self._bus = bus
        self._published = 0
        self.entries: list[tuple[str, bytes, int]] = entries if entries is not None else []
        """(subject, message, revision) in the order in which they entered."""

    async def open(self) -> int:
        """See `Journal.open`."""
        self._published = self._newest
        return self._published

    async def newest_of(self, collection: str) -> int:
        """See `Journal.newest_of`."""
        prefix = collection_subject(collection).removesuffix(">")
        for subject, _, revision in reversed(self.entries):
            if subject.startswith(prefix):
                return revision
            if subject == event_subject(RESTORED):
                break
        return 0

    async def publish(self, subject: str, data: bytes, revision: int) -> None:
        """See `Journal.publish`: what does not follow the newest entry does not enter."""
        await self._bus.publish(subject, data)
        if revision > self._newest and self._published in (0, self._newest):
            self.entries.append((subject, data, revision))
        self._published = revision

    async def bypass(self, subject: str, data: bytes) -> None:
        """See `Journal.bypass`."""
        await self._bus.publish(subject, data)

    async def confirm(self) -> None:
        """See `Journal.confirm`; everything enters at once, or never."""
        if self._newest < self._published:
            raise JournalError(f"the journal stands at {self._newest} and does not take what follows")

    async def begin_history(self, data: bytes, revision: int) -> None:
        """See `Journal.begin_history`."""
        await self._bus.publish(event_subject(RESTORED), data)
        self.entries.append((event_subject(RESTORED), data, revision))

    @property
    def _newest(self) -> int:
        return self.entries[-1][2] if self.entries else 0


def _message_id(headers: bytes) -> str:
    for line in headers.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"Nats-Msg-Id":
            return value.strip().decode()
    return ""


def _revision(message_id: str) -> int:
    revision = message_id.partition(":")[0]
    return int(revision) if revision.isdecimal() else 0


def _now() -> float:
    return asyncio.get_running_loop().time()
