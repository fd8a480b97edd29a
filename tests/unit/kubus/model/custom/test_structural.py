"""Which schemas are structural."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.custom.structural import schema_errors

MAP = {"type": "array", "x-kubernetes-list-type": "map"}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "x.properties[f].type: Required value: must not be empty for specified object fields"),
    ({"type": "text"}, "Unsupported value"),
    ({"type": "array"}, "x.properties[f].items: Required value: must be specified"),
    (
        {"type": "array", "items": {}},
        "x.properties[f].items.type: Required value: must not be empty for specified array items",
    ),
    (
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
        "mutual exclusive",
    ),
    ({"type": "string", "uniqueItems": True}, "x.properties[f].uniqueItems: Forbidden"),
    ({"type": "string", "pattern": "("}, "must be a valid regular expression, but isn't"),
    ({"type": "string", "default": 1}, "x.properties[f].default: Invalid value"),
    ({"type": "object", "properties": {"a": {"type": "string"}}, "default": {"b": "c"}}, "unknown fields"),
    (
        {"type": "string", "anyOf": [{"type": "string"}]},
        "x.properties[f].anyOf[0].type: Forbidden: must be empty to be structural",
    ),
    ({"type": "object", "not": {"properties": {"a": {"default": 1}}}}, "not.properties[a].default: Forbidden"),
    ({"type": "string", "x-kubernetes-int-or-string": True}, "must be empty if x-kubernetes-int-or-string is true"),
    ({"type": "object", "x-kubernetes-embedded-resource": True}, "x.properties[f].properties: Required value"),
    ({"type": "object", "x-kubernetes-preserve-unknown-fields": False}, "must be true or undefined"),
    ({"type": "object", "$ref": "#/a"}, "x.properties[f].$ref: Forbidden"),
    ({**MAP, "items": {"type": "object"}}, "x-kubernetes-list-map-keys: Required value"),
    ({**MAP, "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object"}}, "must all be names of item properties"),
    (
        {
            **MAP,
            "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": {"type": "string"}}},
        },
        "must have a default or be a required property",
    ),
    ({"type": "string", "x-kubernetes-list-type": "set"}, "must be array if x-kubernetes-list-type is specified"),
    ({"type": "object", "x-kubernetes-validations": [{"rule": "self."}]}, "compilation failed"),
]


@pytest.mark.parametrize(("schema", "words"), WRONG)
def test_a_schema_that_is_not_structural_says_where(schema: dict[str, Any], words: str) -> None:
    errors = schema_errors({"type": "object", "properties": {"f": schema}}, "x")
    assert any(words in str(error) for error in errors), [str(error) for error in errors]


def test_the_root_is_an_object_without_rules_for_its_metadata() -> None:
    assert "must not be empty at the root" in str(schema_errors({}, "x")[0])
    assert "must be object at the root" in str(schema_errors({"type": "string"}, "x")[0])
    metadata = {"type": "object", "properties": {"labels": {"type": "object"}}}
    assert "metadata is implicitly specified" in str(
        schema_errors({"type": "object", "properties": {"metadata": metadata}}, "x")[0]
    )


def test_a_structural_schema_is_let_through() -> None:
    key = {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}}
    schema = {
        "type": "object",
        "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}},
            "a": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "b": {**MAP, "x-kubernetes-list-map-keys": ["k"], "items": key},
            "c": {"x-kubernetes-preserve-unknown-fields": True},
            "d": {"type": "string", "default": "x", "oneOf": [{"pattern": "x"}, {"pattern": "y"}]},
        },
    }
    assert schema_errors(schema, "x") == []
