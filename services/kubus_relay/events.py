"""From changes of the store to happenings: what changed, who did it, and whom it concerns. Pure.

Of an object nothing is decoded but a pod's node. A Secret's event carries its face, metadata and a digest, because
events are kept on the bus's disk; its content is sealed (`kubus.model.sealing`), and no key for it is here. The note of
a delete is a key of its own that comes just before the delete, in the same revision; here the two become one. What is
no object's key is no happening. A value that cannot be read as a record is one without an object: whoever follows
learns that the object under this key cannot be read, and the news of all others goes on. Where the node of such a pod
is in question (its last readable state is not at hand), its happening belongs to every node's slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypedDict

from kubus.bus.wire import Change
from kubus.model.codec import DecodeError, Raw, pack, raw_array_decoder
from kubus.model.objects import Key
from kubus.model.records import NOTES, parse_store_key, split_record
from kubus.model.sealing import face_of
from kubus.store import StoreChange

PODS = "pods.core"
SECRETS = "secrets.core"
_NO_NOTE = Raw(pack({"by": "", "with": "", "verb": "delete", "at": 0}))
_UNREADABLE = Raw(pack(None))
_MAPS = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
"""The first bytes of MessagePack's maps."""


class Happening(NamedTuple):
    """One change of one object."""

    key: Key
    change: Change
    revision: int
    note: Raw
    object: Raw
    """Of a delete: the last state. Nil where what is stored cannot be read."""
    nodes: tuple[str, ...]
    """The nodes whose slice it belongs to; two when it leaves one for another."""
    everywhere: bool = False
    """Whether it belongs to every node's slice, because nobody can tell to which."""


class _PodSpec(TypedDict, total=False):
    nodeName: str


class _Pod(TypedDict, total=False):
    spec: _PodSpec


_pod_record = raw_array_decoder(items=tuple[int, Raw, _Pod])


def happenings(batch: Sequence[StoreChange]) -> tuple[list[Happening], list[str]]:
    """What happened, in order, and the keys whose new values cannot be read."""
    found: list[Happening] = []
    unreadable: list[str] = []
    note: tuple[int, Raw] = (0, _NO_NOTE)
    for change in batch:
        if change.key.startswith(NOTES):
            if change.value is not None:
                note = (change.revision, Raw(change.value))
            continue
        key = parse_store_key(change.key)
        if key is None:
            continue
        found.append(_happening(key, change, note[1] if note[0] == change.revision else _NO_NOTE))
        if change.value is not None and bytes(found[-1].object) == bytes(_UNREADABLE):
            unreadable.append(change.key)
    return found, unreadable


def _happening(key: Key, change: StoreChange, delete_note: Raw) -> Happening:
    value, before = change.value, change.before
    if value is not None:
        note, obj = _split(key, value) or (_NO_NOTE, _UNREADABLE)
        how: Change = "added" if change.created == change.revision else "modified"
    else:
        last = _split(key, before.value) if before is not None else None
        how, note, obj = "deleted", delete_note, last[1] if last is not None else _nameplate(key)
    if bytes(note)[0] not in _MAPS:
        note = _NO_NOTE
    if key.collection != PODS:
        return Happening(key, how, change.revision, note, obj, ())
    states = [state for state in (before.value if before is not None else None, value) if state is not None]
    nodes = [_node_of(state) for state in states]
    known = tuple(dict.fromkeys(node for node in nodes if node))
    return Happening(key, how, change.revision, note, obj, known, everywhere=None in nodes and not known)


def _split(key: Key, value: bytes) -> tuple[Raw, Raw] | None:
    """(note, object) of a record; None if it is none."""
    try:
        return face_of(value) if key.collection == SECRETS else split_record(value)
    except DecodeError:
        return None


def _node_of(record: bytes) -> str | None:
    """The node of a pod's record; None if that cannot be read."""
    try:
        return str(_pod_record.decode(record)[2].get("spec", {}).get("nodeName", ""))
    except (ValueError, RecursionError):
        return None


def _nameplate(key: Key) -> Raw:
    """All that is known of an object whose last state has been compacted."""
    metadata = {"name": key.name, "namespace": key.namespace} if key.namespace else {"name": key.name}
    return Raw(pack({"metadata": metadata}))
