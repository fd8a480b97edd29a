"""The work queue: which keys are to be looked at, and when. Pure: time is an argument.

It keeps the contract of client-go's queue (a key waits once however often it is woken, and is never worked on twice at
a time: woken meanwhile, it comes again afterwards) and adds two things. A key remembers the newest revision that
woke it, the *cause* of what its reconcile writes. And a key can be held until a cache has seen a revision: who has
written at revision R must not look at a cache older than R, or it would do the same again.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from kubus.model.objects import Key

BACKOFF_SECONDS_MIN = 0.01
BACKOFF_SECONDS_MAX = 300.0
HOLD_SECONDS_MAX = 30.0
"""A cache that has not seen a write for so long is broken; a stale look is then better than none."""


class Taken(NamedTuple):
    """A key to work on; end it with `done` or `failed`."""

    key: Key
    cause: int | None
    """The newest revision that woke the key."""


@dataclass(slots=True)
class _Entry:
    """What the queue knows of a key."""

    due: float | None = None
    cause: int | None = None
    working: bool = False
    failures: int = 0
    held: dict[str, int] = field(default_factory=dict)
    """Collection → the revision that its cache has to reach."""
    held_until: float = 0.0


class WorkQueue:
    """Keys, each with the time when it is due. The random source spreads back-offs."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._entries: dict[Key, _Entry] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._numbers = itertools.count()
        self._holding: dict[str, dict[Key, None]] = {}

    def __len__(self) -> int:
        """How many keys wait, held ones included."""
        return sum(1 for entry in self._entries.values() if entry.due is not None)

    def wake(self, key: Key, at: float, cause: int | None = None) -> None:
        """Have a key looked at at a time, or earlier if it is due earlier."""
        entry = self._entries.setdefault(key, _Entry())
        if cause is not None and cause > (entry.cause or 0):
            entry.cause = cause
        if entry.due is None or at < entry.due:
            entry.due = at
            self._schedule(key, entry)

    def take(self, now: float) -> Taken | None:
        """The key that has been due longest and may be worked on; None if there is none."""
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            entry = self._entries.get(key)
            if entry is None or entry.due is None or entry.working or due != self._ready(entry):
                continue
            if entry.held:
                self._release(key, entry)
            taken = Taken(key, entry.cause)
            entry.due, entry.cause, entry.working = None, None, True
            return taken
        return None

    def next_due(self) -> float | None:
        """When to call `take` again; None: after the next `wake`, `done`, `failed` or `progress`."""
        while self._heap:
            due, _, key = self._heap[0]
            entry = self._entries.get(key)
            if entry is not None and entry.due is not None and not entry.working and due == self._ready(entry):
                return due
            heapq.heappop(self._heap)
        return None

    def done(self, key: Key) -> None:
        """The key's work has succeeded."""
        entry = self._entries[key]
        entry.working, entry.failures = False, 0
        self._settle(key, entry)

    def failed(self, key: Key, now: float, cause: int | None = None) -> None:
        """The key's work has failed: again later, each time later still. `cause` is the one it was taken with."""
        entry = self._entries[key]
        entry.working = False
        pause = min(BACKOFF_SECONDS_MIN * 2 ** min(entry.failures, 20), BACKOFF_SECONDS_MAX)
        entry.failures += 1
        again = now + pause * (0.5 + self._random.random() / 2)
        entry.due = again  # what woke it meanwhile waits as well, or a busy key would never be backed off
        if cause is not None and cause > (entry.cause or 0):
            entry.cause = cause
        self._settle(key, entry)

    def hold(self, key: Key, collection: str, until: int, now: float) -> None:
        """Do not give the key out before `progress` says that the collection's cache has reached the revision."""
        entry = self._entries.setdefault(key, _Entry())
        if until > entry.held.get(collection, 0):
            entry.held[collection] = until
            entry.held_until = now + HOLD_SECONDS_MAX
            self._holding.setdefault(collection, {})[key] = None
            if entry.due is not None:
                self._schedule(key, entry)

    def progress(self, collection: str, revision: int) -> None:
        """A cache has reached a revision."""
        waiting = self._holding.get(collection)
        for key in list(waiting or ()):
            entry = self._entries[key]
            if entry.held[collection] > revision:
                continue
            del entry.held[collection]
            del self._holding[collection][key]
            self._settle(key, entry)

    def forget(self, key: Key) -> None:
        """The key's object is gone: drop its failures and holds. Not while it is worked on."""
        entry = self._entries.get(key)
        if entry is not None and not entry.working:
            self._release(key, entry)
            del self._entries[key]

    def failures(self, key: Key) -> int:
        """How often the key has failed since it last succeeded."""
        entry = self._entries.get(key)
        return entry.failures if entry else 0

    def _ready(self, entry: _Entry) -> float:
        """When an entry that is due may be worked on."""
        due = entry.due or 0.0
        return max(due, entry.held_until) if entry.held else due

    def _schedule(self, key: Key, entry: _Entry) -> None:
        if not entry.working:
            heapq.heappush(self._heap, (self._ready(entry), next(self._numbers), key))

    def _settle(self, key: Key, entry: _Entry) -> None:
        """Put an entry whose state has changed where it belongs; one that has nothing to tell is dropped."""
        if entry.due is not None:
            self._schedule(key, entry)
        elif not entry.working and not entry.held and not entry.failures:
            del self._entries[key]

    def _release(self, key: Key, entry: _Entry) -> None:
        for collection in entry.held:
            del self._holding[collection][key]
        entry.held.clear()
