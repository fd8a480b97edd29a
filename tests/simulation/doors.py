"""The doors of a process, watched: what the bus lost on its way in, and what a leader's writes carry."""

from __future__ import annotations

from collections import deque

from tests.simulation.chronicle import Chronicle

from kubus.bus import Message
from kubus.bus.subjects import parse_event_subject
from kubus.bus.wire import decode_event_raw
from kubus.machinery.informer import Informer
from kubus.model.records import decode_record, parse_store_key
from kubus.model.times import Clock
from kubus.store import Fence
from kubus.store.memory import MemoryStore

LEADERS = ("system:kube-scheduler", "system:kube-controller-manager")
CAME_KEPT = 256
UNFENCED = ("leases.coordination.k8s.io", "events.core")
"""The Lease itself, and what is only said."""


class Gaps:
    """A gap implies a resync: past an event that it lost an informer gets by a listing only."""

    def __init__(self, who: str, chronicle: Chronicle) -> None:
        self._who = who
        self._chronicle = chronicle
        self._informers: dict[str, Informer] = {}
        self._lost: dict[str, tuple[int, int]] = {}
        self._came: dict[str, deque[int]] = {}

    def watch(self, informers: list[Informer]) -> None:
        """The informers of the process."""
        for informer in informers:
            self._informers[informer.kind.collection] = informer
            informer.on_progress(self._progressed)

    def saw(self, message: Message, lost: bool) -> None:
        """A message has come to the process, or was lost on its way. Two relays may send the same one."""
        key = parse_event_subject(message.subject)
        informer = self._informers.get(key.collection) if key is not None else None
        if informer is None:
            return
        revision, collection = decode_event_raw(message.data).revision, informer.kind.collection
        if not lost:
            if self._lost.get(collection, (0, 0))[0] == revision:
                del self._lost[collection]
        elif revision > informer.cache.revision and revision not in self._came.get(collection, ()):
            self._lost.setdefault(collection, (revision, informer.listings))
        if not lost:
            self._came.setdefault(collection, deque(maxlen=CAME_KEPT)).append(revision)

    def restored(self) -> None:
        """The store has gone back: what was lost before is no gap any more."""
        self._lost.clear()
        self._came.clear()

    def _progressed(self, collection: str, revision: int) -> None:
        missing, listings = self._lost.get(collection, (0, 0))
        if not missing or revision < missing:
            return
        del self._lost[collection]
        if self._informers[collection].listings == listings:
            how = f"{self._who} got to {revision} of {collection} without {missing} and without a listing"
            self._chronicle.break_promise("a gap implies a resync", how)


class InspectedStore(MemoryStore):
    """The store, which sees to it that a leader writes under its Lease only."""

    def __init__(self, clock: Clock, chronicle: Chronicle) -> None:
        super().__init__(clock)
        self._chronicle = chronicle

    async def create(self, key: str, value: bytes, *, fence: Fence | None = None, ttl_seconds: int = 0) -> int:
        """See `Store.create`."""
        self._inspect(key, value, fence)
        return await super().create(key, value, fence=fence, ttl_seconds=ttl_seconds)

    async def replace(
        self, key: str, value: bytes, *, expected: int, fence: Fence | None = None, ttl_seconds: int = 0
    ) -> int:
        """See `Store.replace`."""
        self._inspect(key, value, fence)
        return await super().replace(key, value, expected=expected, fence=fence, ttl_seconds=ttl_seconds)

    def _inspect(self, key: str, value: bytes, fence: Fence | None) -> None:
        named = parse_store_key(key)
        if named is None or named.collection in UNFENCED or fence is not None:
            return
        note = decode_record(value).note
        if note.by in LEADERS:
            self._chronicle.break_promise("a leader writes under its Lease", f"{named} by {note.manager}")
