"""Protobuf answers: what is written is read back, for every kind that has such a form."""

from __future__ import annotations

import struct
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.protobuf import decode
from kubus.model.protobuf_fields import tables
from kubus.model.protobuf_writing import encode, encode_list, is_known, watch_event
from kubus.model.schema import FieldSchema, load_schemas

KINDS = [kind for kind in builtin_kinds() if is_known(kind.api_version, kind.name)]
_SPECIAL = {
    "quantity": lambda random: f"{random.randrange(1, 900)}m",
    "int-or-string": lambda random: random.choice((0, 8080, "web", "25%")),
    "date-time": lambda random: f"20{random.randrange(10, 38)}-01-02T03:04:05Z",
    "micro-time": lambda random: f"20{random.randrange(10, 38)}-01-02T03:04:05.{random.randrange(10**6):06d}Z",
    "object": lambda random: {"f:spec": {".": {}}, "n": random.randrange(9)},
    "any": lambda random: random.choice(({"a": [1, None]}, "x", 1.5, False, [])),
}
_PLAIN = {
    "string": lambda random: f"s{random.randrange(99)}ü",
    "boolean": lambda random: True,
    "integer": lambda random: random.choice((1, 127, 128, 2**31 - 1, -1)),
    "number": lambda random: random.choice((1.5, 3, -0.25)),
    "object": _SPECIAL["object"],
    "any": _SPECIAL["any"],
}
_SCHEMAS = {
    "JSONSchemaPropsOrBool": (True, False, {"type": "string"}),
    "JSONSchemaPropsOrArray": ({"type": "string"}, [{"type": "string"}, {"type": "integer"}]),
    "JSONSchemaPropsOrStringArray": ({"type": "string"}, ["a", "b"]),
}
YOUNG = frozenset({"derivedAttributes", "compatibilityGroups", "runningInUserNamespace"})
"""Fields whose numbers are not known here yet: in JSON they are there, in protobuf they are not. May only shrink."""
TYPES = frozenset({"apiVersion", "kind"})
"""Protobuf names the type of the outermost object alone, as in Kubernetes."""


def _value(schema: FieldSchema, random: Random, depth: int) -> Any:
    if (choices := _SCHEMAS.get(schema.ref.rpartition(".")[2])) is not None:
        return random.choice(choices)
    if schema.type == "ref":
        definition = load_schemas().definition(schema.ref)
        return _struct(schema.ref, random, depth) if definition.type == "struct" else _SPECIAL[definition.type](random)
    if schema.type in ("array", "map"):
        assert schema.items is not None
        items = [_value(schema.items, random, depth) for _ in range(random.randrange(1, 3))]
        return items if schema.type == "array" else {f"k{number}": each for number, each in enumerate(items)}
    if schema.format == "byte":
        return random.choice(("AAECAw==", "/w=="))
    return _PLAIN[schema.type](random)


def _struct(name: str, random: Random, depth: int = 0) -> dict[str, Any]:
    """An object that fits a definition, without the zero values that mean nothing in Go."""
    made: dict[str, Any] = {}
    for key, schema in load_schemas().fields(name).items():
        if depth > 6 or key in YOUNG or (depth and key in TYPES) or random.random() < (0.35 if depth > 1 else 0.1):
            continue
        made[key] = _value(schema, random, depth + 1)
    return made


def _written(name: str) -> set[str]:
    """The fields that a message has, its inlined ones too."""
    found: set[str] = set()
    for field in tables().fields(name).values():
        found |= _written(field.type) if field.container == "inline" else {field.name}
    return found


@settings(max_examples=250)
@given(st.sampled_from(KINDS), st.integers(0, 2**32))
def test_every_object_is_read_back_as_it_was(kind, seed) -> None:
    made = {**_struct(kind.schema, Random(seed)), "apiVersion": kind.api_version, "kind": kind.name}
    body = encode(made)
    assert decode(body) == made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.collection)
def test_each_kind_has_a_message_with_all_its_fields(kind) -> None:
    message = tables().message_of(kind.api_version, kind.name)
    assert load_schemas().fields(kind.schema).keys() - TYPES <= _written(message)


def test_lists_hold_the_messages_of_their_objects() -> None:
    items = [{"metadata": {"name": name}, "data": {"k": "v"}} for name in "ab"]
    body = encode_list("v1", "ConfigMap", {"resourceVersion": "7", "continue": "x", "remainingItemCount": 2}, items)
    assert decode(body) == {
        "apiVersion": "v1",
        "kind": "ConfigMapList",
        "metadata": {"resourceVersion": "7", "continue": "x", "remainingItemCount": 2},
        "items": items,
    }


def test_statuses_have_a_form_and_custom_resources_none() -> None:
    status = {"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": 404, "message": "no", "metadata": {}}
    details = {"name": "x", "kind": "pods", "causes": [{"reason": "a", "message": "b", "field": "c"}]}
    assert decode(encode({**status, "details": details})) == {**status, "details": details}
    assert not is_known("example.com/v1", "Widget")
    assert not is_known("meta.k8s.io/v1", "Table")


def test_a_watch_event_is_framed_by_its_length() -> None:
    frame = watch_event("ADDED", b"k8s\0x")
    assert struct.unpack(">I", frame[:4])[0] == len(frame) - 4
    assert b"ADDED" in frame


def test_a_schema_may_be_a_boolean_an_array_or_names() -> None:
    schema = {
        "additionalProperties": False,
        "items": [{"type": "string"}],
        "dependencies": {"a": ["b"], "c": {"type": "string"}},
        "properties": {"x": {"additionalProperties": {"type": "string"}, "items": {"type": "string"}}},
    }
    spec = {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}, "served": True, "storage": True}]}
    made = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
    assert decode(encode(made)) == made
