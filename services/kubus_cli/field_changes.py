"""Which fields of an object changed, as paths a person reads: `spec.replicas 1→3`.

Lists of maps are compared by their items' names (containers, volumes) or types (conditions), so that an item put in
front of others is one change, not as many as there are items. Bookkeeping that changes with every write is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kubus.model.codec import to_json
from kubus.model.objects import Object

BOOKKEEPING = frozenset({"metadata.resourceVersion", "metadata.managedFields", "metadata.generation"})
MOMENTS = ("lastTransitionTime", "lastUpdateTime", "lastProbeTime", "observedGeneration")
"""Fields that change because others did: told to programs, left out of a person's line."""
ITEM_KEYS = ("name", "type", "uid", "containerPort", "port", "ip", "key")
TEXT_LENGTH_MAX = 40
SHOWN_MAX = 5
ARROW = "→"


class FieldChange(NamedTuple):
    """One field; None for a side where it is missing."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        path = self.path if self.path.isprintable() else to_json(self.path).decode()
        if self.before is None:
            return f"{path}={_short(self.after)}"
        if self.after is None:
            return f"{path} removed"
        return f"{path} {_short(self.before)}{ARROW}{_short(self.after)}"


def field_changes(before: Object, after: Object) -> list[FieldChange]:
    """Every changed field, in the order of the newer object, removed ones after."""
    return _of_maps("", before, after)


def summary(changes: Sequence[FieldChange]) -> str:
    """The first few on one line."""
    telling = [each for each in changes if not each.path.endswith(MOMENTS)]
    shown = ", ".join(str(each) for each in telling[:SHOWN_MAX])
    return f"{shown}, +{len(telling) - SHOWN_MAX} more" if len(telling) > SHOWN_MAX else shown


def _of_maps(path: str, before: dict[str, Any], after: dict[str, Any]) -> list[FieldChange]:
    found: list[FieldChange] = []
    for key in (*after, *(each for each in before if each not in after)):
        inner = f"{path}.{key}" if path else key
        if inner not in BOOKKEEPING:
            found += _of_values(inner, before.get(key), after.get(key))
    return found


def _of_values(path: str, before: Any, after: Any) -> list[FieldChange]:
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return _of_maps(path, before, after)
    if isinstance(after, list) and isinstance(before, list | None):
        return _of_lists(path, before or [], after)
    return [FieldChange(path, before, after)]


def _of_lists(path: str, before: list[Any], after: list[Any]) -> list[FieldChange]:
    old, new = _keyed(before), _keyed(after)
    if old is None or new is None:
        return [FieldChange(path, before or None, after)]
    found: list[FieldChange] = []
    for key in (*new, *(each for each in old if each not in new)):
        found += _of_values(f"{path}[{key}]", old.get(key), new.get(key))
    return found


def _keyed(items: list[Any]) -> dict[str, Any] | None:
    """The items by what names them; None where they have no names, or some share one."""
    if not all(isinstance(item, dict) for item in items):
        return None
    for key in ITEM_KEYS:
        names = [str(item[key]) for item in items if key in item]
        if len(names) == len(items) == len(set(names)):
            return dict(zip(names, items, strict=True))
    return None


def _short(value: Any) -> str:
    if isinstance(value, dict) and "type" in value and "status" in value:
        value = value["status"]  # a condition is named by its type in the path; its status is what it says
    text = value if isinstance(value, str) else to_json(value).decode()
    text = text if text.isprintable() else to_json(text).decode()
    return text if len(text) <= TEXT_LENGTH_MAX else f"{text[: TEXT_LENGTH_MAX - 1]}…"
