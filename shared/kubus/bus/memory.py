"""The bus in one process, for tests and the simulation.

A `MemoryBroker` is the server, a `MemoryBus` one connection to it. Publishing puts the message into the mailboxes of
all who subscribe before it returns, so order is total and a run under a simulated loop is the same every time. What
NATS can do to its clients can be done here on purpose: `broker.disconnect(bus)` and `broker.reconnect(bus)`.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kubus.bus import BusError, Disconnected, Handler, Message, NoResponders, RequestTimeout
from kubus.bus.mailbox import Mailbox
from kubus.bus.serving import serve_mailbox
from kubus.bus.subjects import inbox_prefix
from kubus.bus.tasks import Tasks

_SUBJECT = re.compile(r"[^\s.*>]+(\.[^\s.*>]+)*")
_PATTERN = re.compile(r"([^\s.*>]+|\*)(\.([^\s.*>]+|\*))*(\.>)?|>")
_SUBJECTS_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, eq=False)
class _Interest:
    """One subscription, as the broker knows it."""

    bus: MemoryBus
    tokens: tuple[str, ...]
    group: str
    put: Callable[[Message], None]
    mailbox: Mailbox | None


@dataclass(slots=True)
class MemoryBroker:
    """What stands in for the server: who wants what."""

    _interests: list[_Interest] = field(default_factory=list)
    _turns: dict[tuple[str, ...], int] = field(default_factory=dict)
    _away: set[MemoryBus] = field(default_factory=set)
    _found: dict[str, list[_Interest]] = field(default_factory=dict)
    connections: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    """Numbers for the reply prefixes."""

    def disconnect(self, bus: MemoryBus) -> None:
        """Cut a connection: what is published meanwhile is lost to it."""
        self._away.add(bus)
        bus.connection_lost()

    def reconnect(self, bus: MemoryBus) -> None:
        """Let the connection come back: its subscriptions are Disturbed."""
        self._away.discard(bus)
        for interest in self._interests:
            if interest.bus is bus and interest.mailbox is not None:
                interest.mailbox.disturb("the connection to the bus was lost for a while")

    def is_away(self, bus: MemoryBus) -> bool:
        """Whether the connection is cut."""
        return bus in self._away

    def join(self, interest: _Interest) -> None:
        """Deliver to a mailbox from now on."""
        self._interests.append(interest)
        self._found.clear()

    def leave(self, mailbox: Mailbox) -> None:
        """Deliver to a mailbox no longer."""
        self._interests = [each for each in self._interests if each.mailbox is not mailbox]
        self._found.clear()

    def deliver(self, message: Message) -> int:
        """Hand a message to all who want it and are connected, to one of each group; how many those are."""
        wanting = [each for each in self._interested(message.subject) if each.bus not in self._away]
        groups: dict[tuple[str, ...], list[_Interest]] = {}
        for interest in wanting:
            if interest.group:
                groups.setdefault((interest.group, *interest.tokens), []).append(interest)
            else:
                interest.put(message)
        for name, members in groups.items():
            turn = self._turns[name] = self._turns.get(name, -1) + 1
            members[turn % len(members)].put(message)
        return len(wanting)

    def _interested(self, subject: str) -> list[_Interest]:
        """Who wants a subject; remembered, as most are used again and again."""
        found = self._found.get(subject)
        if found is None:
            tokens = tuple(subject.split("."))
            found = [each for each in self._interests if _matches(each.tokens, tokens)]
            if len(self._found) >= _SUBJECTS_REMEMBERED:
                self._found.clear()
            self._found[subject] = found
        return found


class MemoryBus:
    """A `Bus`: one connection to a broker (its own, where none is given)."""

    def __init__(self, broker: MemoryBroker | None = None, identity: str = "memory") -> None:
        self.broker = broker or MemoryBroker()
        self.identity = identity
        self._closed = False
        self._tasks = Tasks()
        self._mailboxes: list[Mailbox] = []
        self._replies: dict[str, asyncio.Future[bytes]] = {}
        self._numbers = itertools.count(1)
        self._reply_prefix = f"{inbox_prefix(identity)}.{next(self.broker.connections)}."
        replies = (*self._reply_prefix.split(".")[:-1], "*")
        self.broker.join(_Interest(self, replies, "", self._on_reply, None))

    async def publish(self, subject: str, data: bytes, *, headers: dict[str, str] | None = None) -> None:
        """Send; see `Bus.publish`. Headers are for the journal, which this bus has not."""
        self._check(subject, _SUBJECT)
        self.broker.deliver(Message(subject, data))

    async def flush(self) -> None:
        """All is delivered already."""
        self._check("flush", _SUBJECT)

    async def subscribe(self, subject: str, *, group: str = "") -> Mailbox:
        """What arrives from now on; see `Bus.subscribe`."""
        self._check(subject, _PATTERN)
        mailbox = Mailbox(self._leave)
        self._mailboxes.append(mailbox)
        self.broker.join(_Interest(self, tuple(subject.split(".")), group, mailbox.put, mailbox))
        return mailbox

    async def request(self, subject: str, data: bytes, *, timeout_seconds: float = 10.0) -> bytes:
        """Ask; see `Bus.request`."""
        self._check(subject, _SUBJECT)
        token = str(next(self._numbers))
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._replies[token] = reply
        try:
            if not self.broker.deliver(Message(subject, data, self._reply_prefix + token)):
                raise NoResponders("nobody serves the subject")
            async with asyncio.timeout(timeout_seconds):
                return await reply
        except TimeoutError:
            raise RequestTimeout(f"no reply on {subject} within {timeout_seconds:g} s") from None
        finally:
            del self._replies[token]

    async def serve(self, subject: str, handler: Handler, *, group: str = "", concurrency: int = 256) -> Mailbox:
        """Answer requests; see `Bus.serve`."""
        mailbox = await self.subscribe(subject, group=group)
        self._tasks.start(serve_mailbox(mailbox, handler, self._answer, concurrency))
        return mailbox

    async def aclose(self) -> None:
        """Close: subscriptions end, requests fail."""
        if self._closed:
            return
        self._closed = True
        self._fail_requests(Disconnected("the bus is closed"))
        for mailbox in self._mailboxes:
            mailbox.close()
            self.broker.leave(mailbox)
        await self._tasks.aclose()

    def connection_lost(self) -> None:
        """The broker has cut the connection: requests under way get no reply."""
        self._fail_requests(RequestTimeout("the connection to the bus was lost before the reply"))

    async def _answer(self, subject: str, data: bytes) -> None:
        self._check(subject, _SUBJECT)
        self.broker.deliver(Message(subject, data))

    async def _leave(self, mailbox: Mailbox) -> None:
        self._mailboxes.remove(mailbox)
        self.broker.leave(mailbox)

    def _on_reply(self, message: Message) -> None:
        reply = self._replies.get(message.subject[len(self._reply_prefix) :])
        if reply is not None and not reply.done():
            reply.set_result(message.data)

    def _fail_requests(self, error: BusError) -> None:
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(error)

    def _check(self, subject: str, shape: re.Pattern[str]) -> None:
        if self._closed or self.broker.is_away(self):
            raise Disconnected("no connection to the bus")
        if not shape.fullmatch(subject):
            raise BusError(f"{subject!r} is no subject")


def _matches(pattern: tuple[str, ...], subject: tuple[str, ...]) -> bool:
    if pattern[0] not in (subject[0], "*", ">"):
        return False  # most often so
    for index, token in enumerate(pattern):
        if token == ">":
            return len(subject) > index
        if index >= len(subject) or token not in ("*", subject[index]):
            return False
    return len(pattern) == len(subject)
