"""From happenings to messages: each knows its predecessor in its stream. Pure.

A stream is a collection, or a node's slice of one. A consumer whose last revision is not a message's `previous` has
missed something. The relay learns a collection's newest event from the journal. Where it does not know what came
before (what it sent last to a node's slice is written nowhere), it names the revision from which on it has followed
the store: whoever has seen that much has missed nothing, and whoever has not lists again.

A node's copy goes out before the event itself. The journal takes the event later than the server took the copy, so
whatever the journal holds needs no second copy after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubus.bus.subjects import collection_stream, event_subject, node_event_subject, node_stream
from kubus.bus.wire import encode_event
from kubus_relay.events import Happening


class Outgoing(NamedTuple):
    """One message to publish."""

    subject: str
    data: bytes
    revision: int
    stream: str
    """As beats name it."""
    journalled: bool
    """Whether it is the event itself, which the journal keeps; else a copy for a node."""


class Streams:
    """The newest revision of every stream, as published. Begin with a new one wherever the relay begins again.

    `after`: everything after this revision passes through here; at least 1, the revision of an empty store.
    """

    def __init__(self, after: int = 0) -> None:
        self._after = max(after, 1)
        self._newest: dict[str, int] = {}

    def unknown(self, happened: Iterable[Happening]) -> set[str]:
        """The collections of which the newest event has to be learned first."""
        collections = {happening.key.collection for happening in happened}
        return {each for each in collections if collection_stream(each) not in self._newest}

    def learn(self, collection: str, revision: int) -> None:
        """What the newest event of a collection was; 0: nobody knows."""
        self._newest[collection_stream(collection)] = revision

    def messages(self, happening: Happening) -> list[Outgoing]:
        """The messages of a happening, in the order in which they have to be published."""
        key = happening.key
        copies = [
            self._message(happening, node_event_subject(node, key), node_stream(node, key.collection), journalled=False)
            for node in happening.nodes
        ]
        event = self._message(happening, event_subject(key), collection_stream(key.collection), journalled=True)
        return [*copies, event]

    def _message(self, happening: Happening, subject: str, stream: str, *, journalled: bool) -> Outgoing:
        previous = self._newest.get(stream) or self._after
        if previous > happening.revision:
            previous = 0  # another relay was faster: whoever has its message drops this one
        self._newest[stream] = happening.revision
        data = encode_event(happening.change, happening.revision, previous, happening.note, happening.object)
        return Outgoing(subject, data, happening.revision, stream, journalled)
