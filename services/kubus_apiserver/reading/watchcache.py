"""The watch cache: every stored object as of one revision, and what changed lately.

A `Collection` is an ordered index of entries by namespace and name, and a ring of its recent changes, from which
a watch resumes. `WatchCache` takes the store's changes in order (`apply`) and tells two parties: those who wait
for a revision (`reached`) and those who watch a collection (`listeners`). It reads and writes nothing itself
(`kubus_apiserver.reading.follower` feeds it); of asyncio it knows the futures of those who wait.

Everything here happens between two awaits of the event loop, so a reader that does not await sees one revision.
A value that is no record of an object of its kind is quarantined: it is counted and left out, and everything else goes
on. Who gets it is told that it is there and cannot be read; see `kubus.model.stored_objects` for what is checked.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count

from sortedcontainers import SortedDict

from kubus.model.codec import DecodeError
from kubus.model.objects import Key
from kubus.model.records import collection_prefix, parse_store_key, split_record
from kubus.model.stored_objects import decode_object
from kubus.store import StoreChange, Stored
from kubus_apiserver.reading.entries import Entry

RING = 8192
"""Changes a collection remembers: a watch that lags further behind lists again."""
EARLY = 8192
"""Acknowledged changes that wait for those before them; beyond that the store's stream brings them."""
SNAPSHOTS = 16
"""Lists in pages that can go on at once without asking the store."""

_log = logging.getLogger(__name__)


class Changed:
    """One change of one object. `entry` is None when it was deleted; `before` is None when it was added."""

    __slots__ = ("before", "encoded", "entry", "revision")

    def __init__(self, revision: int, entry: Entry | None, before: Entry | None) -> None:
        self.revision = revision
        self.entry = entry
        self.before = before
        self.encoded: dict[object, bytes] = {}
        """Watch events of this change by their form; see `kubus_apiserver.watchevents`."""

    def last_before(self) -> Entry:
        """The state before the change under the change's revision: what a watcher is told of a deletion."""
        if self.before is None:
            raise ValueError("nothing stood there before this change")
        return self.before.moved_to(self.revision)


Listener = Callable[[list[Changed]], None]


class Collection:
    """The objects of one collection."""

    def __init__(self, since: int) -> None:
        self.entries: SortedDict[tuple[str, str], Entry] = SortedDict()
        self.ring: deque[Changed] = deque(maxlen=RING)
        self.complete_after = since
        """Every change after this revision is in the ring."""
        self.revision = since
        """Of the last change."""
        self.listeners: set[Listener] = set()

    def put(self, changed: Changed, key: tuple[str, str]) -> None:
        """Take a change."""
        if changed.entry is None:
            self.entries.pop(key, None)
        else:
            self.entries[key] = changed.entry
        if len(self.ring) == RING:
            self.complete_after = self.ring[0].revision
        self.ring.append(changed)
        self.revision = changed.revision

    def select(self, namespace: str = "", after: tuple[str, str] | None = None) -> list[Entry]:
        """The entries of a namespace ("" for all) in order, those after a key only."""
        if not namespace and after is None:
            return list(self.entries.values())
        first = after or (namespace, "")
        last = (namespace, "\U0010ffff") if namespace else None
        keys = self.entries.irange(first, last, inclusive=(after is None, True))
        return [self.entries[key] for key in keys]

    def since(self, revision: int) -> list[Changed] | None:
        """What changed after a revision; None where the ring no longer knows."""
        if revision < self.complete_after:
            return None
        recent: list[Changed] = []
        for changed in reversed(self.ring):
            if changed.revision <= revision:
                break
            recent.append(changed)
        recent.reverse()
        return recent


def _tell(collection: Collection, batch: list[Changed]) -> None:
    """Tell every listener; one that fails keeps the news from no other and stops no cache."""
    for listener in list(collection.listeners):
        try:
            listener(batch)
        except Exception:
            _log.exception("a listener of the watch cache failed")


class WatchCache:
    """All collections at one revision."""

    def __init__(self) -> None:
        self.revision = 0
        self.is_incomplete = False
        """A change has shown that one before it never came: everything has to be read again."""
        self.quarantined: dict[str, str] = {}
        """Store keys whose values cannot be read, and why."""
        self.others: dict[str, Stored] = {}
        """Keys that are no object's: allocations."""
        self._collections: dict[str, Collection] = {}
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._early: list[tuple[int, StoreChange]] = []
        self._snapshots: dict[tuple[str, str, int], list[Entry]] = {}
        self._floor = 0

    def collection(self, name: str) -> Collection:
        """The collection of a name; it is there from the moment somebody asks."""
        found = self._collections.get(name)
        if found is None:
            found = self._collections[name] = Collection(self._floor)
        return found

    def get(self, key: Key) -> Entry | None:
        """The entry of an object."""
        found = self._collections.get(key.collection)
        return None if found is None else found.entries.get((key.namespace, key.name))

    def unreadable(self, collection: str, namespace: str = "") -> list[Key]:
        """The objects of a collection, or of a namespace of it, that are stored but cannot be read."""
        if not self.quarantined:
            return []
        prefix = collection_prefix(collection, namespace or None)
        return [key for each in self.quarantined if each.startswith(prefix) and (key := parse_store_key(each))]

    def replace(self, items: Iterable[Stored], revision: int) -> None:
        """Start over from a listing of everything; every listener's stream is broken (it is told so with [])."""
        before = self._collections
        self._collections = {}
        self._floor = revision
        self._snapshots.clear()
        self._early.clear()
        self.quarantined.clear()
        self.others.clear()
        for name in before:
            self.collection(name)
        loads: dict[str, list[tuple[tuple[str, str], Entry]]] = {}
        for item in items:
            key = parse_store_key(item.key)
            if key is None:
                self.others[item.key] = item
            elif (entry := self._entry(item.key, key, item.value, item.revision)) is not None:
                loads.setdefault(key.collection, []).append(((key.namespace, key.name), entry))
        for name, pairs in loads.items():
            self.collection(name).entries.update(pairs)
        self.is_incomplete = False
        self._advance(revision)
        for old in before.values():
            _tell(old, [])

    def acknowledged(self, change: StoreChange) -> None:
        """Take one of the store's changes ahead of its stream, as soon as all before it are known.

        `created` and `before` need not be told; there is no other change in its revision that matters here.
        """
        if change.revision == self.revision + 1:
            self.apply([change])
        elif change.revision > self.revision and len(self._early) < EARLY:
            heapq.heappush(self._early, (change.revision, change))

    def apply(self, changes: list[StoreChange]) -> None:
        """Take the store's next changes and what follows on them; those that are not newer are passed over."""
        fresh: dict[str, list[Changed]] = {}
        revision = self.revision
        for change in self._with_early(changes):
            if change.revision <= self.revision:
                continue
            revision = change.revision
            key = parse_store_key(change.key)
            if key is None:
                self._other(change)
                continue
            changed = self._changed(key, change)
            if changed is not None:
                self.collection(key.collection).put(changed, (key.namespace, key.name))
                fresh.setdefault(key.collection, []).append(changed)
        self._advance(revision)
        for name, batch in fresh.items():
            _tell(self.collection(name), batch)

    def _with_early(self, changes: list[StoreChange]) -> list[StoreChange]:
        """The changes, and those acknowledged that come right after them."""
        if not self._early:
            return changes
        last = max(self.revision, changes[-1].revision if changes else 0)
        joined = list(changes)
        while self._early and self._early[0][0] <= last + 1:
            revision, change = heapq.heappop(self._early)
            if revision > last:
                joined.append(change)
                last = revision
        return joined

    def reached(self, revision: int) -> asyncio.Future[None] | None:
        """None if the cache has reached a revision, else a future that is done when it has."""
        if self.revision >= revision:
            return None
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (revision, next(self._order), future))
        return future

    def keep(self, collection: str, namespace: str, revision: int, entries: list[Entry]) -> None:
        """Remember a list of which further pages will be wanted."""
        while len(self._snapshots) >= SNAPSHOTS:
            del self._snapshots[next(iter(self._snapshots))]
        self._snapshots[collection, namespace, revision] = entries

    def kept(self, collection: str, namespace: str, revision: int) -> list[Entry] | None:
        """A remembered list."""
        return self._snapshots.get((collection, namespace, revision))

    def _changed(self, key: Key, change: StoreChange) -> Changed | None:
        before = self.collection(key.collection).entries.get((key.namespace, key.name))
        if not _follows(before, change) and change.key not in self.quarantined:
            self.is_incomplete = True
        entry = None
        if change.value is not None:
            entry = self._entry(change.key, key, change.value, change.revision)
        else:
            self.quarantined.pop(change.key, None)
        return None if entry is None and before is None else Changed(change.revision, entry, before)

    def _entry(self, store_key: str, key: Key, value: bytes, revision: int) -> Entry | None:
        try:
            _, raw = split_record(value)
            decode_object(key, raw)
        except DecodeError as error:
            self.quarantined[store_key] = str(error)
            return None
        if self.quarantined:
            self.quarantined.pop(store_key, None)
        return Entry(key.namespace, key.name, revision, raw)

    def _other(self, change: StoreChange) -> None:
        if change.value is None:
            self.others.pop(change.key, None)
        elif change.key.startswith("/kubus/allocations/"):
            self.others[change.key] = Stored(change.key, change.value, change.revision, change.created)

    def _advance(self, revision: int) -> None:
        self.revision = revision
        while self._waiting and self._waiting[0][0] <= revision:
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                future.set_result(None)


def _follows(before: Entry | None, change: StoreChange) -> bool:
    """Whether a change comes right after what is known of its key; etcd says with a change what stood there before."""
    if change.before is not None:
        return before is not None and before.revision == change.before.revision
    return before is None or change.created != change.revision
