"""The reflector: a copy of a collection kept true by a list and a stream of events.

It does no I/O. A driver (`kubus.machinery.informer`) tells it what happened and does what it asks:

    subscribe                      first: nothing may slip between list and stream
    list            → listed()     the copy is the listing, then what has arrived since
    event           → received()   applied in order, dropped if not newer, else: list again
    beat            → beat()       the newest revision of the stream: notices that the *last* event was lost,
                                   and that another history has begun (a store restored from a backup)
    trouble         → disturbed()  the bus says that it may have lost something

An object that cannot be read is quarantined: the copy keeps what it held under that key, or nothing, until the object
changes again, and everything else goes on. To take it for deleted would be worse: a pod would be replaced, a Service's
connections be cut, because of a record that somebody will repair.

Each event names the one before it in the stream. An event whose `previous` is beyond what has been seen betrays a
gap, and so does `previous` 0 (the relay has just started and does not know). From then until the next listing events
are kept, not applied: the copy may be old, but it never mixes two times. Whatever is dropped, repeated or reordered,
after the next listing the copy equals the collection: tests/unit/kubus/machinery/test_reflector.py draws such streams.

A beat is published after its event, but may overtake it on the way to us, being another subscription. So the first
beat beyond what has been seen is a suspicion only; the next one confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubus.bus.wire import Change, RawEvent
from kubus.model.codec import DecodeError
from kubus.model.objects import Key, Object, name_of, namespace_of, revision_of, uid_of
from kubus.model.stored_objects import decode_object

_KEPT_MAX = 100_000
"""Events kept while a listing is awaited. Beyond that a second listing costs less."""


class Changed(NamedTuple):
    """An object of the copy has changed."""

    change: Change
    key: Key
    object: Object
    """The new state; of a delete: the last state."""
    before: Object | None
    """What the copy held before."""
    revision: int
    """The event's; where only a listing told of it: that of the object, of a delete that of its last known state. It is
    what a reconcile gives as its cause, so it has to be an event of this object.
    """


class ListAgain(NamedTuple):
    """Something is missing: list, and hand the result to `listed`."""

    reason: str


class Quarantined(NamedTuple):
    """What stands under a key cannot be read; the copy keeps what it held."""

    key: Key
    reason: str
    before: Object | None
    """What the copy goes on holding."""


Effect = Changed | ListAgain | Quarantined


class Reflector:
    """The copy of one collection (or of a node's slice of it). Needs a listing first."""

    def __init__(self, collection: str) -> None:
        self.collection = collection
        self.objects: dict[Key, Object] = {}
        """The copy. Read only."""
        self.quarantined: dict[Key, str] = {}
        """The keys whose newest state cannot be read, and why."""
        self.revision = 0
        """Everything up to this revision is in the copy."""
        self.listing = True
        """Whether a listing is awaited."""
        self._kept: list[tuple[Key, RawEvent]] = []
        self._disturbed = False
        self._suspect = 0
        self._epoch = ""
        self._anew = False

    def received(self, key: Key, event: RawEvent) -> list[Effect]:
        """An event has arrived."""
        if self.listing:
            self._keep(key, event)
            return []
        if event.revision < self.revision:
            return []
        if event.revision == self.revision:
            # The keys of an expired lease go in one revision; that one is repeated changes nothing.
            return self._applied(key, event) if event.change == "deleted" else []
        if event.previous > self.revision or not event.previous:
            self._kept.append((key, event))
            return self._list_again(
                f"events between {self.revision} and {event.revision} are missing"
                if event.previous
                else f"the relay does not know what came before {event.revision}"
            )
        self.revision = event.revision
        return self._applied(key, event)

    def listed(self, objects: Iterable[Object], revision: int, unreadable: Iterable[Key] = ()) -> list[Effect]:
        """The collection as it stood at a revision; then what has been kept since is applied.

        `unreadable`: the keys that are there too, and that whoever has listed could not read.
        """
        if revision < self.revision and not self._anew:
            return [ListAgain(f"the listing of {revision} is older than the copy of {self.revision}")]
        effects = self._replaced(objects, frozenset(unreadable))
        self.revision, self.listing, self._suspect = revision, False, 0
        kept, self._kept = sorted(self._kept, key=lambda each: each[1].revision), []
        for key, event in kept:
            effects += self.received(key, event)
        if not self._disturbed:
            self._anew = False  # this listing was asked for after the other history had begun
        else:
            self._disturbed = False
            if not self.listing:
                effects += self._list_again("the bus was disturbed while the collection was listed")
        return effects

    def beat(self, revision: int, epoch: str = "") -> list[Effect]:
        """The stream's newest revision, as the relay repeats it, and the history to which it belongs."""
        if epoch != self._epoch:
            known, self._epoch = self._epoch, epoch
            if known:
                return self._begin_anew()
        if self.listing or revision <= self.revision:
            return []
        if not self._suspect or self.revision >= self._suspect:
            self._suspect = revision
            return []
        return self._list_again(f"the event of {self._suspect} is missing")

    def _begin_anew(self) -> list[Effect]:
        """Another history has begun: what has been kept belongs to the old one, and so does every revision."""
        self._kept.clear()
        self._suspect, self._anew = 0, True
        if self.listing:
            self._disturbed = True  # the listing under way may be of the old one
            return []
        return self._list_again("the store was restored from a backup")

    def disturbed(self) -> list[Effect]:
        """The bus may have lost messages."""
        if self.listing:
            self._disturbed = True
            return []
        return self._list_again("the bus was disturbed")

    def _keep(self, key: Key, event: RawEvent) -> None:
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
            self._disturbed = True
        self._kept.append((key, event))

    def _list_again(self, reason: str) -> list[Effect]:
        self.listing = True
        return [ListAgain(reason)]

    def _applied(self, key: Key, event: RawEvent) -> list[Effect]:
        before = self.objects.get(key)
        if event.change == "deleted":
            self.quarantined.pop(key, None)
            if before is None:
                return []
            del self.objects[key]
            return [Changed("deleted", key, _decoded(key, event, before), before, event.revision)]
        try:
            obj = decode_object(key, event.object)
        except DecodeError as error:
            return [self._quarantine(key, str(error))]
        if self.quarantined:
            self.quarantined.pop(key, None)
        obj["metadata"]["resourceVersion"] = str(event.revision)  # in place: it has just been decoded for us
        obj["metadata"].pop("managedFields", None)
        self.objects[key] = obj
        return [Changed("added" if before is None else "modified", key, obj, before, event.revision)]

    def _quarantine(self, key: Key, reason: str) -> Quarantined:
        self.quarantined[key] = reason
        return Quarantined(key, reason, self.objects.get(key))

    def _replaced(self, objects: Iterable[Object], unreadable: frozenset[Key]) -> list[Effect]:
        """What a listing changes: what is gone first, then what is new, then what differs."""
        listed = {Key(self.collection, namespace_of(obj), name_of(obj)): _trimmed(obj) for obj in objects}
        for key in unreadable:
            if key in self.objects and key not in listed:
                listed[key] = self.objects[key]
        gone = {
            key: obj
            for key, obj in self.objects.items()
            if key not in listed or uid_of(listed[key]) != uid_of(obj)  # another object of the same name
        }
        changes: list[Effect] = [Changed("deleted", key, obj, obj, revision_of(obj)) for key, obj in gone.items()]
        for key, obj in listed.items():
            before = None if key in gone else self.objects.get(key)
            if before is None:
                changes.append(Changed("added", key, obj, None, revision_of(obj)))
            elif revision_of(before) != revision_of(obj) or (self._anew and before != obj):
                changes.append(Changed("modified", key, obj, before, revision_of(obj)))
        self.objects = listed
        known, self.quarantined = self.quarantined, {}
        for key in sorted(unreadable):
            reason = known.get(key, "the apiserver cannot read it")
            changes.append(self._quarantine(key, reason))
        return changes


def _decoded(key: Key, event: RawEvent, before: Object) -> Object:
    """The last state of what was deleted; where that cannot be read, the one known before."""
    try:
        last = decode_object(key, event.object)
    except DecodeError:
        last = {**before, "metadata": {**before["metadata"]}}
    last["metadata"]["resourceVersion"] = str(event.revision)
    last["metadata"].pop("managedFields", None)
    return last


def _trimmed(obj: Object) -> Object:
    """The object without its managedFields: no service asks for them, and they may be as large as the rest.

    An update that comes without them leaves them as they are.
    """
    metadata = obj["metadata"]
    if "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}
