"""The shapes of custom objects: types, names and bounds."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.custom.celshapes import shape_of

REQUEST = 3 * 1024 * 1024 - 2
KINDS: list[tuple[dict[str, Any], str, int | None]] = [
    ({"type": "integer"}, "int", None),
    ({"type": "number"}, "double", None),
    ({"type": "boolean"}, "bool", None),
    ({"type": "string", "maxLength": 5}, "string", 5),
    ({"type": "string"}, "string", REQUEST),
    ({"type": "string", "enum": ["a", "abc"]}, "string", 3),
    ({"type": "string", "format": "byte"}, "bytes", REQUEST),
    ({"type": "string", "format": "date-time"}, "timestamp", 29),
    ({"type": "string", "format": "duration"}, "duration", 32),
    ({"type": "array", "items": {"type": "boolean"}}, "list", REQUEST // 5),
    ({"type": "array", "items": {"type": "string"}, "maxItems": 7}, "list", 7),
    ({"type": "object", "additionalProperties": {"type": "string"}}, "map", REQUEST // 8),
    ({"x-kubernetes-int-or-string": True}, "dyn", None),
    ({"x-kubernetes-preserve-unknown-fields": True}, "dyn", None),
]


@pytest.mark.parametrize(("schema", "kind", "most"), KINDS)
def test_a_schema_has_a_shape(schema: dict[str, Any], kind: str, most: int | None) -> None:
    shape = shape_of(schema)
    assert (shape.kind, shape.most) == (kind, most)


def test_an_object_has_the_fields_that_can_be_named() -> None:
    properties = {
        "a-b": {"type": "string"},
        "é": {"type": "string"},
        "anything": {"x-kubernetes-preserve-unknown-fields": True},
        "maybe": {"type": "integer", "nullable": True},
        "embedded": {"type": "object", "x-kubernetes-embedded-resource": True},
    }
    shape = shape_of({"type": "object", "properties": properties, "required": ["a-b"]}, is_object=True)
    assert shape.fields is not None
    fields = shape.fields()
    assert set(fields) == {"a__dash__b", "maybe", "embedded", "apiVersion", "kind", "metadata"}
    assert fields["maybe"].nullable
    inner = fields["embedded"].fields
    assert inner is not None
    assert set(inner()) == {"apiVersion", "kind", "metadata"}
    assert shape.least_bytes == 2 + len("a-b") + 2 + 4
