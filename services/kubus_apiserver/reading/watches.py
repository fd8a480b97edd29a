"""Watches: one event, encoded once, to everybody who watches.

A `Hub` listens to one collection of the cache and knows its watchers. Those without a selector that want the same
form and namespace are one group: the bytes of a batch are joined once and handed to each. Those with a selector are
asked one by one. After sending, a hub rests for as long as sending took: with few watchers that is nothing, with
thousands events gather and travel together, and the other half of the time is for everybody else.

How bytes travel is the watcher's `send`; a watcher that falls too far behind is ended by its sender, and then lists
again.

An object that leaves a selector comes as DELETED, one that enters as ADDED, as in Kubernetes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from kubus.model.codec import DecodeError, to_json
from kubus.model.errors import StatusError, gone
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.reading.negotiation import PROTOBUF
from kubus_apiserver.reading.representations import View, encoded, one
from kubus_apiserver.reading.selection import Selection
from kubus_apiserver.reading.watchcache import Changed, Collection

_CHANGES = ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR")
_PREFIX = {change: b'{"type":"%b","object":' % change.encode() for change in _CHANGES}
_REST_SECONDS_MAX = 0.05
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
Now = Callable[[], datetime]


class Batch:
    """Watch events to be sent together."""

    __slots__ = ("_chunk", "events")

    def __init__(self, events: list[bytes]) -> None:
        self.events = events
        self._chunk: bytes | None = None

    @property
    def chunk(self) -> bytes:
        """All events as one chunk of an HTTP/1.1 body; made once for all watchers."""
        if self._chunk is None:
            body = b"".join(self.events)
            self._chunk = b"%x\r\n%b\r\n" % (len(body), body)
        return self._chunk


class Scope(NamedTuple):
    """What is watched, and how it is to look."""

    kind: Kind
    namespace: str
    selection: Selection
    view: View


class Watcher:
    """One watch, from the moment its initial events are out. `send` must not wait."""

    __slots__ = ("end", "scope", "send")

    def __init__(self, scope: Scope, send: Callable[[Batch], None], end: Callable[[StatusError | None], None]) -> None:
        self.scope = scope
        self.send = send
        self.end = end
        """Called when the stream cannot go on."""


class Hub:
    """The watchers of one collection."""

    def __init__(self, collection: Collection, now: Now) -> None:
        self._now = now
        self._collection = collection
        self._plain: dict[tuple[str, str, View], list[Watcher]] = {}
        self._selective: list[Watcher] = []
        self._pending: list[Changed] = []
        self._rest_until = 0.0
        collection.listeners.add(self.received)

    @property
    def count(self) -> int:
        """How many watch."""
        return len(self._selective) + sum(map(len, self._plain.values()))

    def add(self, watcher: Watcher) -> None:
        """Send it what happens from now on."""
        self.flush()
        if watcher.scope.selection.everything:
            self._plain.setdefault(_group(watcher.scope), []).append(watcher)
        else:
            self._selective.append(watcher)

    def remove(self, watcher: Watcher) -> None:
        """Send it nothing more."""
        members = self._plain.get(_group(watcher.scope), [])
        for watchers in (members, self._selective):
            if watcher in watchers:
                watchers.remove(watcher)
        if not members:
            self._plain.pop(_group(watcher.scope), None)

    def end_all(self, error: StatusError | None = None) -> None:
        """End every watch, with an ERROR event or without."""
        self.flush()
        for watcher in [*self._selective, *(each for group in self._plain.values() for each in group)]:
            watcher.end(error)

    def received(self, batch: list[Changed]) -> None:
        """Hand on what happened; nothing at all means that the stream is broken."""
        if not batch:
            self._collection.listeners.discard(self.received)
            self.end_all(gone("the watch cache was filled anew"))
            return
        loop = asyncio.get_running_loop()
        first = not self._pending
        self._pending += batch
        if not first:
            return
        wait = self._rest_until - loop.time()
        if wait > 0:
            loop.call_later(wait, self.flush)
        else:
            loop.call_soon(self.flush)  # with all else that this turn brings, and after whoever wrote has the answer

    def flush(self) -> None:
        """Send what is pending."""
        batch, self._pending = self._pending, []
        if not batch:
            return
        started = asyncio.get_running_loop().time()
        for watchers in list(self._plain.values()):
            events = events_of(watchers[0].scope, batch, self._now)
            if events:
                joined = Batch(events)
                for watcher in list(watchers):
                    watcher.send(joined)
        for watcher in list(self._selective):
            events = events_of(watcher.scope, batch, self._now)
            if events:
                watcher.send(Batch(events))
        ended = asyncio.get_running_loop().time()
        self._rest_until = ended + min(ended - started, _REST_SECONDS_MAX)


def _group(scope: Scope) -> tuple[str, str, View]:
    return scope.kind.schema, scope.namespace, scope.view


def events_of(scope: Scope, batch: list[Changed], now: Now) -> list[bytes]:
    """The events that a watch of this scope sees of some changes."""
    events: list[bytes] = []
    for changed in batch:
        entry = changed.entry or changed.before
        if entry is None or (scope.namespace and entry.namespace != scope.namespace):
            continue
        change = _change(scope, changed)
        if change:
            key = (scope.kind.schema, scope.view, change)
            event = changed.encoded.get(key)
            if event is None:
                shown = changed.entry if change != "DELETED" and changed.entry is not None else changed.last_before()
                event = event_bytes(scope, change, shown, now)
                if event:  # else it cannot be read, or not yet: somebody may be converting it
                    changed.encoded[key] = event
            events.append(event)
    return [event for event in events if event]


def event_bytes(scope: Scope, change: str, entry: Entry, now: Now) -> bytes:
    """One event and its newline; b"" for an object that cannot be read."""
    try:
        body = one(scope.kind, entry.viewed(scope.kind), scope.view, now())
    except DecodeError:
        return b""
    return _framed(scope, change, body)


def _framed(scope: Scope, change: str, body: bytes) -> bytes:
    """An event as the watch's media type has it: a line of JSON, or a message with its length."""
    if scope.view.form.media == PROTOBUF:
        from kubus.model.protobuf_writing import watch_event  # few clients insist on protobuf

        return watch_event(change, body)
    return b"%b%b}\n" % (_PREFIX[change], body)


def _change(scope: Scope, changed: Changed) -> str:
    """ADDED, MODIFIED or DELETED as this watch sees it; "" if it does not."""
    chosen = scope.selection
    if chosen.everything:
        is_in, was_in = changed.entry is not None, changed.before is not None
    else:
        if chosen.name and (changed.entry or changed.before).name != chosen.name:  # type: ignore[union-attr]
            return ""
        is_in = _matches(scope, changed.entry)
        was_in = _matches(scope, changed.before)
    if is_in:
        return "MODIFIED" if was_in else "ADDED"
    return "DELETED" if was_in else ""


def _matches(scope: Scope, entry: Entry | None) -> bool:
    try:
        return entry is not None and scope.selection.matches(entry.viewed(scope.kind).object)
    except DecodeError:
        return False


def bookmark(scope: Scope, revision: int, *, initial_events_end: bool = False) -> bytes:
    """A BOOKMARK: nothing of this watch has changed up to the revision; it may mark the end of the initial events."""
    metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial_events_end:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    obj: Object = {"kind": scope.kind.name, "apiVersion": scope.kind.api_version, "metadata": metadata}
    form = scope.view.form
    if form.transform == "Table":
        row = {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{form.version}", "metadata": metadata}
        obj = {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": {"resourceVersion": str(revision)},
            "columnDefinitions": [],
            "rows": [{"cells": [], "object": row}],
        }
    elif form.transform:
        obj = {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{form.version}", "metadata": metadata}
    return _framed(scope, "BOOKMARK", encoded(obj, form))


def failure(error: StatusError, scope: Scope | None = None) -> bytes:
    """An ERROR event; as JSON where nobody says what is watched."""
    if scope is not None and scope.view.form.media == PROTOBUF:
        return _framed(scope, "ERROR", encoded(error.status, scope.view.form))
    return b'{"type":"ERROR","object":%b}\n' % to_json(error.status)
