"""What a schema says of a value, in Kubernetes' words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.custom.formats import FORMATS
from kubus.model.custom.values import json_type, same, value_errors

STRING = {"type": "string"}
PORTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "protocol"],
    "items": {"type": "object", "properties": {"protocol": {"type": "string", "default": "TCP"}}},
}

WRONG: list[tuple[dict[str, Any], Any, str]] = [
    (STRING, 1, 'x: Invalid value: "integer": x in body must be of type string: "integer"'),
    (STRING, None, 'x: Invalid value: "null": x in body must be of type string: "null"'),
    ({"type": "integer"}, 1.5, 'x: Invalid value: "number": x in body must be of type integer: "number"'),
    ({"type": "integer"}, True, 'x: Invalid value: "boolean": x in body must be of type integer: "boolean"'),
    ({"type": "object", "required": ["a"]}, {}, "x.a: Required value"),
    ({"enum": ["a", "b"]}, "c", 'x: Unsupported value: "c": supported values: "a", "b"'),
    ({"enum": [1]}, True, 'x: Unsupported value: true: supported values: "1"'),
    ({"type": "integer", "minimum": 1}, 0, "x: Invalid value: 0: x in body should be greater than or equal to 1"),
    ({"maximum": 2, "exclusiveMaximum": True}, 2, "x: Invalid value: 2: x in body should be less than 2"),
    ({"multipleOf": 2}, 3, "x: Invalid value: 3: x in body should be a multiple of 2"),
    ({"minLength": 2}, "a", 'x: Invalid value: "a": x in body should be at least 2 chars long'),
    ({"maxLength": 2}, "abc", "x: Too long: may not be more than 2 bytes"),
    ({"pattern": "^a+$"}, "b", "x: Invalid value: \"b\": x in body should match '^a+$'"),
    ({"format": "date"}, "b", 'x: Invalid value: "b": x in body must be of type date: "b"'),
    ({"type": "array", "maxItems": 1}, [1, 2], "x: Too many: 2: must have at most 1 item"),
    ({"type": "array", "minItems": 1}, [], "x: Invalid value: []: x in body should have at least 1 items"),
    ({"type": "array", "items": STRING}, ["a", 1], 'x[1]: Invalid value: "integer": x[1] in body must be of type'),
    ({"additionalProperties": STRING}, {"k": 1}, 'x.k: Invalid value: "integer": x.k in body must be of type string'),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, "Found 2 valid alternatives"),
    ({"oneOf": [{"required": ["a"]}]}, {}, "must validate one and only one schema (oneOf). Found none valid"),
    ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, '"x" must validate at least one schema (anyOf)'),
    ({"not": {"required": ["a"]}}, {"a": 1}, '"x" must not validate the schema (not)'),
    ({"allOf": [{"minimum": 3}]}, 2, "should be greater than or equal to 3"),
    ({"x-kubernetes-int-or-string": True}, 1.5, 'must be of type integer,string: "number"'),
    ({"type": "array", "x-kubernetes-list-type": "set"}, ["a", "a"], 'x[1]: Duplicate value: "a"'),
    (PORTS, [{"port": 1}, {"port": 1, "protocol": "TCP"}], 'x[1]: Duplicate value: {"port":1,"protocol":"TCP"}'),
    ({"type": "object", "x-kubernetes-embedded-resource": True}, {"kind": "A"}, "x.apiVersion: Required value"),
]


@pytest.mark.parametrize(("schema", "value", "words"), WRONG)
def test_a_value_that_does_not_fit_says_why(schema: dict[str, Any], value: Any, words: str) -> None:
    errors = value_errors(schema, value, "x")
    assert len(errors) == 1
    assert words in str(errors[0])


RIGHT: list[tuple[dict[str, Any], Any]] = [
    ({"type": "integer"}, 3.0),
    ({"type": "number"}, 3),
    ({"type": "string", "nullable": True}, None),
    ({"x-kubernetes-int-or-string": True}, "80%"),
    ({"format": "something-else"}, "x"),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}),
    ({"type": "array", "x-kubernetes-list-type": "set"}, [1, True]),
    (PORTS, [{"port": 1}, {"port": 1, "protocol": "UDP"}]),
    ({"type": "object", "x-kubernetes-embedded-resource": True}, {"kind": "A", "apiVersion": "v1"}),
]


@pytest.mark.parametrize(("schema", "value"), RIGHT)
def test_a_value_that_fits_is_let_through(schema: dict[str, Any], value: Any) -> None:
    assert value_errors(schema, value, "x") == []


def test_what_an_update_leaves_as_it_was_is_not_looked_at_again() -> None:
    schema = {"type": "object", "properties": {"a": {"maximum": 1}, "b": {"maximum": 1}}}
    assert value_errors(schema, {"a": 5, "b": 1}, old={"a": 5, "b": 0}) == []
    assert [error.field for error in value_errors(schema, {"a": 6}, old={"a": 5})] == ["a"]


def test_items_are_matched_with_old_ones_by_their_keys() -> None:
    schema = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["n"],
        "items": {"type": "object", "properties": {"v": {"maximum": 1}}},
    }
    assert value_errors(schema, [{"n": 2, "v": 0}, {"n": 1, "v": 9}], "x", old=[{"n": 1, "v": 9}]) == []


@pytest.mark.parametrize(
    ("format_", "right", "wrong"),
    [
        (
            "date-time",
            ["2024-01-02T03:04:05Z", "2024-01-02t03:04:05.123456789+01:00"],
            ["2024-01-02", "2024-13-01T00:00:00Z"],
        ),
        ("date", ["2024-02-29"], ["2023-02-29", "20240101"]),
        ("ipv4", ["1.2.3.4"], ["1.2.3", "::1"]),
        ("ipv6", ["::1"], ["1.2.3.4"]),
        ("cidr", ["10.0.0.0/8"], ["10.0.0.0"]),
        ("uri", ["https://a.b/c"], ["a b", "http://[x"]),
        ("email", ["a@b.c"], ["a"]),
        ("hostname", ["a.b"], ["-a", "a" * 64]),
        ("mac", ["01:23:45:67:89:ab"], ["01:23"]),
        ("byte", ["YWI=", ""], ["YWI", "*"]),
        ("duration", ["1h30m", "0", "1.5s"], ["1", "h"]),
        ("uuid", ["123e4567-e89b-42d3-a456-426614174000"], ["123"]),
        ("uuid4", ["123e4567-e89b-42d3-a456-426614174000"], ["123e4567-e89b-12d3-a456-426614174000"]),
    ],
)
def test_a_format_knows_its_own(format_: str, right: list[str], wrong: list[str]) -> None:
    assert all(FORMATS[format_](each) for each in right)
    assert not any(FORMATS[format_](each) for each in wrong)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, width=16) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(json_values)
def test_whatever_the_value_its_own_type_fits_and_nothing_breaks(value: Any) -> None:
    assert same(value, value)
    if value is not None:
        assert value_errors({"type": json_type(value)}, value) == []
    for schema, *_ in WRONG:
        value_errors(schema, value)
