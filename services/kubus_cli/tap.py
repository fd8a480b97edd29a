"""`kubus tap`: watch what happens in a cluster, event by event, from the bus.

It reads the journal, so nothing is missed and the state before each change is known; where the subject is not one that
the journal keeps, it listens to the bus alone. It never asks the apiserver.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubus.bus import Bus, BusError, Message
from kubus.bus.nats import NatsBus, connect
from kubus.bus.subjects import parse_event_subject
from kubus.bus.wire import Event, decode_event
from kubus.model.codec import DecodeError
from kubus.model.objects import Key
from kubus.model.times import from_microseconds
from kubus.service.settings import Settings
from kubus.service.tls import client_tls
from kubus_cli.failures import Failure, Misused, NotRunning
from kubus_cli.journal_reader import JournalReader, Start, place_of_revision
from kubus_cli.tap_lines import Memory, Seen, is_heartbeat
from kubus_cli.tap_subjects import EVENT_ROOT

CONNECT_SECONDS_MAX = 10.0
LOST_SECONDS_MAX = 6.0
"""How long a tap waits for a bus that is away: a restart takes less, and after a `down` nothing comes any more."""
_LOOK_SECONDS = 0.25
CLOCKS_APART = timedelta(seconds=10)
"""How much an event may be stored before the moment that its writer's clock showed."""
_DURATION = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Since:
    """From where on events are shown: a moment or a revision; neither: from now on."""

    moment: datetime | None = None
    revision: int = 0

    @property
    def is_now(self) -> bool:
        """Whether only news is wanted."""
        return self.moment is None and not self.revision

    def includes(self, seen: Seen) -> bool:
        """Whether an event is to be shown."""
        if self.moment is not None:
            return from_microseconds(seen.event.note.at) >= self.moment
        return seen.event.revision >= self.revision


def parse_since(text: str, now: datetime) -> Since:
    """`5m`, `1h30m` (ago) or a revision, `1043` or, as a tap shows it, `r1043`.

    Raises:
        Misused: it is neither, or no clock shows that moment.
    """
    if not text:
        return Since()
    if (digits := text.removeprefix("r")).isdecimal():
        return Since(revision=max(1, int(digits)))
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Misused(f"--since {text!r} is neither a duration nor a revision", "like 5m, 1h30m, or r1043")
    try:
        ago = sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())
        return Since(moment=now - ago)
    except OverflowError:
        raise Misused(f"--since {text!r} is before all time", "like 5m, 1h30m, or r1043") from None


async def tap(
    settings: Settings, subject: str, since: Since, show: Callable[[Seen], bool], *, heartbeats: bool, look: str
) -> None:
    """Show events until `show` returns False. `look` is the command that tells how the cluster is.

    Raises:
        NotRunning: the bus is away for seconds.
        Failure: the bus cannot be reached, or there is no journal to look back in.
    """
    bus = await connected(settings, look)
    try:
        async with asyncio.timeout(None) as limit:
            with _ending_when_lost(bus, limit):
                async with aclosing(_events(bus, settings.identity, subject, since)) as events:
                    async for seen in events:
                        if (heartbeats or not is_heartbeat(seen)) and not show(seen):
                            return
    except TimeoutError:
        why = f"no connection to {settings.nats_url} any more: the cluster has gone down"
        raise NotRunning(why, f"look: {look}") from None
    except BusError as error:
        raise Failure(f"the bus: {error}") from None
    finally:
        await bus.aclose()


@contextmanager
def _ending_when_lost(bus: NatsBus, limit: asyncio.Timeout) -> Iterator[None]:
    """Let a time limit expire when the bus has been away for `LOST_SECONDS_MAX`."""
    loop = asyncio.get_running_loop()
    heard_at = loop.time()
    timer: asyncio.TimerHandle | None = None

    def look() -> None:
        nonlocal heard_at, timer
        if bus.connected:
            heard_at = loop.time()
        if loop.time() - heard_at > LOST_SECONDS_MAX:
            limit.reschedule(loop.time())
        else:
            timer = loop.call_later(_LOOK_SECONDS, look)

    look()
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """TLS with the settings' certificate; None where they name none."""
    return client_tls(*settings.nats_tls_files) if settings.nats_tls_files else None


async def connected(settings: Settings, look: str) -> NatsBus:
    """A connection to the bus. `look` is the command that tells how the cluster is.

    Raises:
        NotRunning: there is none in time.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            return await connect(settings.nats_url, identity=settings.identity, tls=tls_of(settings))
    except TimeoutError:
        raise NotRunning(f"no connection to {settings.nats_url}", f"does the cluster run? {look}") from None


async def _events(bus: Bus, identity: str, subject: str, since: Since) -> AsyncGenerator[Seen, None]:
    memory = Memory()
    if not subject.startswith(EVENT_ROOT):
        if not since.is_now:
            raise Misused("the journal keeps kubus.ev.> only", "leave --since away")
        async for batch in _live(bus, subject):
            for message in batch:
                yield seen_of(memory, message)
        return
    reader = JournalReader(bus, identity, subject, await _start(bus, since))
    read = 0
    async for batch in reader.messages():
        for message in batch:
            if memory.lacks_state_before(*event_of(message)):
                before = await reader.before(message)
                if before is not None:
                    seen_of(memory, message._replace(data=before))
            seen = seen_of(memory, message)
            read += 1
            if read > reader.held or (not since.is_now and since.includes(seen)):
                yield seen


async def _start(bus: Bus, since: Since) -> Start:
    if since.moment is not None:
        return since.moment - CLOCKS_APART
    return await place_of_revision(bus, since.revision) if since.revision else "last_per_subject"


async def _live(bus: Bus, subject: str) -> AsyncIterator[list[Message]]:
    arriving = await bus.subscribe(subject)
    while True:
        yield [each for each in await arriving.next_batch() if isinstance(each, Message)]


def seen_of(memory: Memory, message: Message) -> Seen:
    """The event of a message, and what it changed.

    Raises:
        Failure: it is no event.
    """
    return memory.see(*event_of(message))


def event_of(message: Message) -> tuple[Key, Event]:
    """The object that a message is about, and its event.

    Raises:
        Failure: it is no event.
    """
    key = parse_event_subject(message.subject)
    if key is None:
        raise Misused(f"{message.subject} carries no events", "subjects of events begin with kubus.ev. or kubus.node.")
    try:
        return key, decode_event(message.data)
    except DecodeError as error:
        raise Failure(f"{message.subject}: {error}") from None
