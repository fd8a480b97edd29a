"""Defaults fill in what is absent, and only that."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.custom.defaulting import has_defaults, set_defaults

SPEC = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "default": 1},
        "n": {"type": "integer", "nullable": True, "default": 2},
        "o": {"type": "object", "properties": {"b": {"default": "x"}}},
        "l": {"type": "array", "items": {"type": "object", "properties": {"p": {"default": 80}}}},
        "m": {"type": "object", "additionalProperties": {"properties": {"q": {"default": True}}}},
        "s": {"type": "string"},
    },
}
TABLE: list[tuple[Any, Any]] = [
    ({}, {"a": 1, "n": 2}),
    ({"a": 5}, {"a": 5, "n": 2}),
    ({"a": None}, {"a": 1, "n": 2}),
    ({"n": None}, {"a": 1, "n": None}),
    ({"s": None}, {"a": 1, "n": 2}),
    ({"o": {}}, {"a": 1, "n": 2, "o": {"b": "x"}}),
    ({"l": [{}, {"p": 1}]}, {"a": 1, "n": 2, "l": [{"p": 80}, {"p": 1}]}),
    ({"m": {"k": {}}}, {"a": 1, "n": 2, "m": {"k": {"q": True}}}),
]


@pytest.mark.parametrize(("given", "wanted"), TABLE)
def test_absent_fields_get_their_defaults_and_a_second_time_changes_nothing(given: Any, wanted: Any) -> None:
    set_defaults(SPEC, given)
    assert given == wanted
    set_defaults(SPEC, given)
    assert given == wanted


def test_objects_do_not_share_a_default() -> None:
    schema = {"properties": {"a": {"type": "object", "default": {"b": []}}}}
    one: dict[str, Any] = {}
    other: dict[str, Any] = {}
    set_defaults(schema, one)
    one["a"]["b"].append(1)
    set_defaults(schema, other)
    assert other == {"a": {"b": []}}


def test_a_schema_knows_whether_it_has_defaults() -> None:
    assert has_defaults(SPEC)
    assert has_defaults({"items": {"additionalProperties": {"default": 1}}})
    assert not has_defaults({"properties": {"a": {"type": "string"}}})
