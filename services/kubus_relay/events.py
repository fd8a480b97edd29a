"""From changes of the store to happenings: what changed, who did it, and whom it concerns. Pure.

Of an object nothing is decoded but a pod's node. A Secret's event carries its face, metadata and a digest, because
events are kept on the bus's disk; its content is sealed (`kubus.model.sealing`), and no key for it is here. The note of
a delete is a key of its own that comes just before the delete, in the same revision; here the two become one. What is
no object's key, and what cannot be read as a record, is no happening: one broken value must not stop the news of all
others.
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


class Happening(NamedTuple):
    """One change of one object."""

    key: Key
    change: Change
    revision: int
    note: Raw
    object: Raw
    """Of a delete: the last state."""
    nodes: tuple[str, ...]
    """The nodes whose slice it belongs to; two when it leaves one for another."""


class _PodSpec(TypedDict, total=False):
    nodeName: str


class _Pod(TypedDict, total=False):
    spec: _PodSpec


_pod_record = raw_array_decoder(items=tuple[int, Raw, _Pod])


def happenings(batch: Sequence[StoreChange]) -> tuple[list[Happening], list[str]]:
    """What happened, in order, and the keys of changes that could not be read."""
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
        try:
            found.append(_happening(key, change, note[1] if note[0] == change.revision else _NO_NOTE))
        except DecodeError:
            unreadable.append(change.key)
    return found, unreadable


def _happening(key: Key, change: StoreChange, delete_note: Raw) -> Happening:
    value, before = change.value, change.before
    split = face_of if key.collection == SECRETS else split_record
    if value is not None:
        note, obj = split(value)
        how: Change = "added" if change.created == change.revision else "modified"
    else:
        how, note = "deleted", delete_note
        obj = split(before.value)[1] if before is not None else _nameplate(key)
    nodes: tuple[str, ...] = ()
    if key.collection == PODS:
        states = [state for state in (before.value if before is not None else None, value) if state is not None]
        nodes = tuple(dict.fromkeys(node for state in states if (node := _node_of(state))))
    return Happening(key, how, change.revision, note, obj, nodes)


def _node_of(record: bytes) -> str:
    try:
        pod = _pod_record.decode(record)[2]
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not a pod's record: {error}") from None
    return str(pod.get("spec", {}).get("nodeName", ""))


def _nameplate(key: Key) -> Raw:
    """All that is known of an object whose last state has been compacted."""
    metadata = {"name": key.name, "namespace": key.namespace} if key.namespace else {"name": key.name}
    return Raw(pack({"metadata": metadata}))
