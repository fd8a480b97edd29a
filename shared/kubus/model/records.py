"""The store record: what stands in etcd under an object's key.

key    `/kubus/<resource>.<group|core>/<namespace|_>/<name>`
value  MessagePack `[1, note, object]`

The object has no resourceVersion: that is etcd's mod_revision. The note says who wrote and why, from the
first write on, so that a change explains itself long after the writer has gone. A delete has no value to
carry a note, so its note is written to `/kubus/notes/<uid>` in the same transaction, leased and short-lived;
etcd reports both in one revision, the note first.

This format is fixed: tests read it with the packages `etcd3` and `msgpack`, as a stranger would.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kubus.model.codec import DecodeError, Raw, pack, raw_array_decoder
from kubus.model.objects import Key, Object

VERSION = 1
ROOT = "/kubus/"
NOTES = "/kubus/notes/"
CLUSTER_SCOPED = "_"
"""Stands where a cluster-scoped object has no namespace; no namespace can have this name."""


class Note(NamedTuple):
    """Who wrote and why; a map `{by, with, verb, cause?, trace?, at}` on the wire."""

    by: str
    """The authenticated user."""
    manager: str
    """The field manager; `with` on the wire."""
    verb: str
    """create, update, patch, delete, …"""
    at: int
    """Unix microseconds."""
    cause: int | None = None
    """The revision of the event that led to this write; None for a user's own command."""
    trace: str | None = None
    """W3C traceparent."""

    def to_wire(self) -> dict[str, Any]:
        """The map that is stored and published."""
        wire: dict[str, Any] = {"by": self.by, "with": self.manager, "verb": self.verb, "at": self.at}
        if self.cause is not None:
            wire["cause"] = self.cause
        if self.trace is not None:
            wire["trace"] = self.trace
        return wire

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Note:
        """The note of a map; unknown keys are passed over, missing ones and those of a wrong type are empty."""
        texts = {name: value for name, value in wire.items() if isinstance(value, str)}
        numbers = {name: value for name, value in wire.items() if isinstance(value, int)}
        return cls(
            by=texts.get("by", ""),
            manager=texts.get("with", ""),
            verb=texts.get("verb", ""),
            at=numbers.get("at", 0),
            cause=numbers.get("cause"),
            trace=texts.get("trace"),
        )


class Record(NamedTuple):
    """A decoded store value; note and object may be left as raw MessagePack (`split_record`)."""

    note: Note
    object: Object


def encode_record(note: Note, obj: Object | Raw) -> bytes:
    """The value to store. The object must not hold a resourceVersion."""
    return pack([VERSION, note.to_wire(), obj])


_split = raw_array_decoder(items=tuple[int, Raw, Raw])
_whole = raw_array_decoder(items=tuple[int, dict[str, Any], Any])


def split_record(value: bytes) -> tuple[Raw, Raw]:
    """(note, object), both still encoded: nothing of the object is looked at.

    Raises:
        DecodeError: this is no record, or one of a later version.
    """
    return _checked(_split, value)


def decode_record(value: bytes) -> Record:
    """The record of a stored value.

    Raises:
        DecodeError: this is no record, or one of a later version.
    """
    note, obj = _checked(_whole, value)
    if not isinstance(obj, dict):
        raise DecodeError("store record holds no object")
    return Record(Note.from_wire(note), obj)


def _checked(decoder: Any, value: bytes) -> tuple[Any, Any]:
    try:
        version, note, obj = decoder.decode(value)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not a store record: {error}") from None
    if version != VERSION:
        raise DecodeError(f"store record of version {version}, this program reads {VERSION}")
    return note, obj


def store_key(key: Key) -> str:
    """Where an object stands: `/kubus/pods.core/default/web-0`."""
    return f"{ROOT}{key.collection}/{key.namespace or CLUSTER_SCOPED}/{key.name}"


def collection_prefix(collection: str, namespace: str | None = None) -> str:
    """The prefix of a whole collection, or of one namespace of it."""
    return f"{ROOT}{collection}/" if namespace is None else f"{ROOT}{collection}/{namespace or CLUSTER_SCOPED}/"


def parse_store_key(text: str) -> Key | None:
    """The object that a store key names; None for a note and whatever else is no object's (collections hold a dot)."""
    parts = text.split("/", 4)
    if len(parts) != 5 or parts[0] or parts[1] != "kubus" or not all(parts[2:]) or "." not in parts[2]:
        return None
    namespace = "" if parts[3] == CLUSTER_SCOPED else parts[3]
    return Key(parts[2], namespace, parts[4])


def note_key(uid: str) -> str:
    """Where the note of an object's deletion stands."""
    return f"{NOTES}{uid}"
