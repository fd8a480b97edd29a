"""How a tap shows an event: one line for a person, one JSON text for a program. Pure; the tap's memory is here too.

    12:00:00.123  r1043  modified  deployments.apps default/web  spec.replicas 1→3  by kubernetes-admin (kubectl)  ←1021

The last item is the cause: the revision of the event that led to this write.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import tzinfo
from typing import Any, NamedTuple

from kubus.bus.wire import Event
from kubus.model.codec import to_json
from kubus.model.objects import Key, Object, controller_of
from kubus.model.times import from_microseconds, rfc3339_micro
from kubus_cli.field_changes import FieldChange, field_changes, summary

REMEMBERED_MAX = 20_000
COLOURS = {"added": "\033[32m", "modified": "\033[33m", "deleted": "\033[31m"}
BOLD, DIM, RESET = "\033[1m", "\033[2m", "\033[0m"
GAP = "  "
WIDTH_OFF_TERMINAL = 240
WHAT_LENGTH_MIN = 30
QUIET_LEASES = "leases.coordination.k8s.io"


class Seen(NamedTuple):
    """An event and what it changed."""

    key: Key
    event: Event
    changes: tuple[FieldChange, ...]
    """Empty where the state before is not known."""


class Memory:
    """The last state of each object, so that changes can be told; forgets the oldest beyond a bound."""

    def __init__(self, remembered_max: int = REMEMBERED_MAX) -> None:
        self._objects: OrderedDict[Key, Object] = OrderedDict()
        self._remembered_max = remembered_max

    def lacks_state_before(self, key: Key, event: Event) -> bool:
        """Whether an event changes an object whose last state is not known."""
        return event.change == "modified" and key not in self._objects

    def see(self, key: Key, event: Event) -> Seen:
        """Take an event in."""
        before = self._objects.pop(key, None)
        if event.change != "deleted":
            self._objects[key] = event.object
            if len(self._objects) > self._remembered_max:
                self._objects.popitem(last=False)
        known = before is not None and event.change == "modified"
        return Seen(key, event, tuple(field_changes(before or {}, event.object)) if known else ())


def is_heartbeat(seen: Seen) -> bool:
    """Whether it is the renewal of a Lease: several a second in a quiet cluster, and nobody's news."""
    return seen.key.collection == QUIET_LEASES and seen.event.change == "modified"


def line(seen: Seen, zone: tzinfo | None, *, width: int, coloured: bool) -> str:
    """One line for a person, its description shortened so that actor and cause fit into the width."""

    def paint(style: str, text: str) -> str:
        return f"{style}{text}{RESET}" if coloured else text

    event, note = seen.event, seen.event.note
    moment = from_microseconds(note.at).astimezone(zone).strftime("%H:%M:%S.%f")[:-3]
    parts = [
        (DIM, moment),
        (DIM, f"r{event.revision}"),
        (COLOURS[event.change], f"{event.change:<8}"),
        (BOLD, _name(seen.key)),
        ("", ""),
        (DIM, f"by {note.by}{_with(note.by, note.manager)}"),
        (DIM, f"←{note.cause}" if note.cause is not None else ""),
    ]
    room = width - sum(len(text) + len(GAP) for _, text in parts if text)
    parts[4] = ("", _shortened(_what(seen), max(room, WHAT_LENGTH_MIN)))
    return GAP.join(paint(style, text) if style else text for style, text in parts if text)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def as_json(seen: Seen) -> str:
    """One JSON text, without a newline."""
    event = seen.event
    document: dict[str, Any] = {
        "time": rfc3339_micro(from_microseconds(event.note.at)),
        "revision": event.revision,
        "change": event.change,
        "resource": seen.key.collection,
        "namespace": seen.key.namespace,
        "name": seen.key.name,
        "note": event.note.to_wire(),
        "changes": [{"field": each.path, "before": each.before, "after": each.after} for each in seen.changes],
        "object": event.object,
    }
    return to_json(document).decode()


def _name(key: Key) -> str:
    resource = key.collection.removesuffix(".core")
    return f"{resource} {key.namespace}/{key.name}" if key.namespace else f"{resource} {key.name}"


def _with(by: str, manager: str) -> str:
    return f" ({manager})" if manager and manager != by and not by.endswith(manager) else ""


def _what(seen: Seen) -> str:
    obj = seen.event.object
    if obj.get("kind") == "Event" and seen.event.change != "deleted":
        return f"{obj.get('reason', '')}: {obj.get('message') or obj.get('note') or ''}".replace("\n", " ")
    owner = controller_of(obj)
    if seen.event.change == "added" and owner is not None:
        return f"of {owner.get('kind')}/{owner.get('name')}"
    return summary(seen.changes)
