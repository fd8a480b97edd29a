"""What a kind makes of an object: its defaults, its row, its complaints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kubus.model.codec import pack, unpack
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.tables import columns_of
from kubus.model.validation import object_errors

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
"""The moment at which rows are shown unless a test says otherwise."""


def sent(kind: Kind, name: str = "x", **fields: Any) -> Object:
    """An object of a kind as a client sends it; namespaced ones are in `default`."""
    meta = {"name": name, "namespace": "default"} if kind.namespaced else {"name": name}
    meta |= fields.pop("metadata", {})
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta, **fields}


def copy_of(obj: Object) -> Object:
    """A copy that shares nothing."""
    copied: Object = unpack(pack(obj))
    return copied


def created(kind: Kind, obj: Object) -> Object:
    """The object as it would be stored on create: defaults and strategy applied to a copy."""
    made = copy_of(obj)
    if kind.defaults is not None:
        kind.defaults(made)
    if kind.prepare is not None:
        kind.prepare(made, None)
    return made


def updated(kind: Kind, obj: Object, old: Object) -> Object:
    """The object as it would be stored on update."""
    made = copy_of(obj)
    if kind.defaults is not None:
        kind.defaults(made)
    if kind.prepare is not None:
        kind.prepare(made, old)
    return made


def complaints(kind: Kind, obj: Object, old: Object | None = None) -> list[str]:
    """Everything wrong with an object, as sentences."""
    return [str(error) for error in object_errors(kind, obj, old)]


def shown(kind: Kind, obj: Object, now: datetime = NOW) -> dict[str, Any]:
    """The cells of an object's row by column, those of `-o wide` too."""
    return {column.name: column.cell(obj, now) for column in columns_of(kind)}
