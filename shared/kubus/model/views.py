"""Kinds that are views: another version or group of objects that are stored as another kind.

autoscaling/v1 and v2, events.k8s.io and the core's events are one object each, kept in one shape and shown in another.
A view is given objects in its own shape everywhere; its rules, columns and field selectors are those of the stored
kind, asked of the object turned into the stored shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from kubus.model.errors import FieldError
from kubus.model.kinds import Cell, Column, Kind, Rule
from kubus.model.objects import Object

Turn = Callable[[Object], Object]
Getter = Callable[[Object], str]


def view_of(stored: Kind, *, to_stored: Turn, from_stored: Turn, **changes: Any) -> Kind:
    """The stored kind as another group or version; `changes` are the fields of `Kind` in which it differs."""
    return replace(
        stored,
        stored_as=stored.collection,
        to_stored=to_stored,
        from_stored=from_stored,
        rules=tuple(_rule(rule, to_stored) for rule in stored.rules),
        columns=tuple(_column(column, to_stored) for column in stored.columns),
        fields={name: _getter(get, to_stored) for name, get in stored.fields.items()},
        **changes,
    )


def _rule(rule: Rule, to_stored: Turn) -> Rule:
    def turned(obj: Object, old: Object | None) -> list[FieldError]:
        return rule(to_stored(obj), None if old is None else to_stored(old))

    return turned


def _column(column: Column, to_stored: Turn) -> Column:
    cell: Cell = column.cell

    def turned(obj: Object, now: datetime) -> Any:
        return cell(to_stored(obj), now)

    return replace(column, cell=turned)


def _getter(get: Getter, to_stored: Turn) -> Getter:
    return lambda obj: get(to_stored(obj))
