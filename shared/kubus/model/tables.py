"""Tables: what `kubectl get` prints.

A client that accepts `application/json;as=Table;v=v1;g=meta.k8s.io` gets, instead of objects, one table of the columns
that the kind declares: for a list, for a single object, and for each event of a watch (a table of one row). Every row
carries as much of the object as `includeObject` asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from kubus.model.cells import AGE, NAME
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, metadata, with_revision

INCLUDE = ("None", "Metadata", "Object")
"""What `includeObject` may be; Metadata where it is absent."""
_DEFAULT_COLUMNS = (NAME, AGE)


def columns_of(kind: Kind) -> Sequence[Column]:
    """A kind's columns; Name and Age where it declares none."""
    return kind.columns or _DEFAULT_COLUMNS


def partial_metadata(obj: Object, revision: int) -> Object:
    """A PartialObjectMetadata: nothing of the object but its metadata."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {**metadata(obj), "resourceVersion": str(revision)},
    }


def row(kind: Kind, obj: Object, revision: int, now: datetime, include: str = "Metadata") -> Object:
    """One row: the cells, and the object as `include` wants it."""
    made: Object = {"cells": [column.cell(obj, now) for column in columns_of(kind)]}
    conditions = _conditions(obj) if kind.plural == "pods" else None
    if conditions:
        made["conditions"] = conditions
    if include == "Object":
        made["object"] = with_revision(obj, revision)
    elif include == "Metadata":
        made["object"] = partial_metadata(obj, revision)
    else:
        made["object"] = None
    return made


def column_definitions(kind: Kind) -> list[Object]:
    """The head of the table."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description,
            "priority": column.priority,
        }
        for column in columns_of(kind)
    ]


def table(
    kind: Kind,
    objects: Iterable[tuple[Object, int]],
    now: datetime,
    include: str = "Metadata",
    *,
    list_metadata: Object | None = None,
    definitions: bool = True,
) -> Object:
    """A table of objects with their revisions.

    `list_metadata` is the list's own (`resourceVersion`, `continue`, `remainingItemCount`). Of the tables of a watch
    only the first needs `definitions`.
    """
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_metadata or {},
        "columnDefinitions": column_definitions(kind) if definitions else None,
        "rows": [row(kind, obj, revision, now, include) for obj, revision in objects],
    }


def _conditions(obj: Object) -> list[Object] | None:
    """What marks a row as done: clients may hide or dim such rows."""
    phase = (obj.get("status") or {}).get("phase")
    if phase == "Succeeded":
        message = "The pod has completed successfully."
    elif phase == "Failed":
        message = "The pod failed."
    else:
        return None
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]
