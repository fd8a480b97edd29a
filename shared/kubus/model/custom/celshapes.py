"""The shape of a custom object by its schema: what a rule can name, of which type it is, and how large it can become.

Only what a schema declares has a shape: not what is preserved beyond it, nor, of the object's own metadata, more than
`name` and `generateName`. Where nothing bounds a list, a map or a text, the size of a request does.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from kubus.model.cel.costs import REQUEST_BYTES_MAX
from kubus.model.cel.shapes import DYN, Shape
from kubus.model.custom.celvalues import escaped, properties_of
from kubus.model.custom.pruning import EMBEDDED
from kubus.model.objects import Object

_SCALARS = {"integer": ("int", 1), "number": ("double", 1), "boolean": ("bool", 4)}
_TEXTS = {
    "byte": ("bytes", None),
    "date-time": ("timestamp", 29),
    "date": ("timestamp", 12),
    "duration": ("duration", 32),
}
_TEXT_BYTES = 2


def shape_of(schema: Object, *, is_object: bool = False, name: str = "self") -> Shape:
    """The shape of a value of a schema; `is_object` at the root of a custom object."""
    return _shape(schema, name, count(), is_object=is_object) or DYN


def _shape(schema: Object, name: str, numbers: Iterator[int], *, is_object: bool = False) -> Shape | None:
    """None where the schema says too little for rules to name it."""
    type_, nullable = schema.get("type"), bool(schema.get("nullable"))
    if schema.get("x-kubernetes-int-or-string"):
        return Shape("dyn", nullable=nullable)
    if type_ == "object":
        made = _object(schema, name, numbers, is_object=is_object)
        return None if made is None else made._replace(nullable=nullable)
    if type_ == "array":
        items = _shape(schema["items"], name, numbers) if isinstance(schema.get("items"), dict) else None
        if items is None:
            return None
        most = _bound(schema, "maxItems", (REQUEST_BYTES_MAX - 2) // (items.least_bytes + 1))
        return Shape("list", items=items, most=most, least_bytes=2, nullable=nullable)
    if type_ == "string":
        return _text(schema)._replace(nullable=nullable)
    if type_ in _SCALARS:
        kind, size = _SCALARS[type_]
        return Shape(kind, least_bytes=size, nullable=nullable)
    return None


def _bound(schema: Object, keyword: str, otherwise: int) -> int:
    most = schema.get(keyword)
    return otherwise if most is None else max(int(most), 0)


def _text(schema: Object) -> Shape:
    kind, longest = _TEXTS.get(schema.get("format") or "", ("string", None))
    if longest is not None:
        return Shape(kind, most=longest, least_bytes=_TEXT_BYTES)
    most = REQUEST_BYTES_MAX - 2
    if schema.get("enum") and schema.get("maxLength") is None:
        most = max(len(str(each)) for each in schema["enum"])
    return Shape(kind, most=_bound(schema, "maxLength", most), least_bytes=_TEXT_BYTES)


def _object(schema: Object, name: str, numbers: Iterator[int], *, is_object: bool) -> Shape | None:
    further = schema.get("additionalProperties")
    if isinstance(further, dict):
        items = _shape(further, name, numbers)
        if items is None:
            return None
        most = _bound(schema, "maxProperties", (REQUEST_BYTES_MAX - 2) // (items.least_bytes + 6))
        return Shape("map", items=items, most=most, least_bytes=2)
    number = next(numbers)
    fields: dict[str, Shape] = {}
    size = 2
    properties: Mapping[str, Any] = properties_of(schema, is_object=is_object or bool(schema.get(EMBEDDED)))
    for key, below in properties.items():
        spoken = escaped(key)
        shape = _shape(below, spoken or "field", numbers)
        if shape is None:
            continue
        if spoken is not None:
            fields[spoken] = shape
        if key in (schema.get("required") or ()) and "default" not in below:
            size += len(key) + shape.least_bytes + 4
    return Shape("object", lambda: fields, f"{name}_{number}", least_bytes=size)
