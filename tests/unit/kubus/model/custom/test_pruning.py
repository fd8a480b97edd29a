"""What a schema does not name goes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.custom.pruning import pruned

PRESERVE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {"type": "object"}}}
TABLE: list[tuple[dict[str, Any], Any, Any, list[str]]] = [
    ({"properties": {"a": {}}}, {"a": 1, "b": 2}, {"a": 1}, ["x.b"]),
    ({"properties": {"a": {}}, **PRESERVE}, {"a": 1, "b": 2}, {"a": 1, "b": 2}, []),
    ({"additionalProperties": {"properties": {"a": {}}}}, {"k": {"a": 1, "b": 2}}, {"k": {"a": 1}}, ["x.k.b"]),
    ({"additionalProperties": True}, {"k": {"b": 2}}, {"k": {"b": 2}}, []),
    ({"items": {"properties": {"a": {}}}}, [{"a": 1}, {"b": 2}], [{"a": 1}, {}], ["x[1].b"]),
    (
        EMBEDDED,
        {"apiVersion": "v1", "kind": "A", "metadata": {"name": "x"}, "y": 1},
        {"apiVersion": "v1", "kind": "A", "metadata": {"name": "x"}},
        ["x.y"],
    ),
    (
        {**PRESERVE, "properties": {"a": {"type": "object"}}},
        {"a": {"b": 1}, "c": {"d": 1}},
        {"a": {}, "c": {"d": 1}},
        ["x.a.b"],
    ),
]


@pytest.mark.parametrize(("schema", "value", "kept", "unknown"), TABLE)
def test_unknown_fields_go(schema: dict[str, Any], value: Any, kept: Any, unknown: list[str]) -> None:
    assert pruned({"properties": {"x": schema}}, {"x": value}) == ({"x": kept}, unknown)


def test_the_object_keeps_its_own_metadata() -> None:
    obj = {"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "x"}}
    assert pruned({"type": "object"}, obj) == (obj, [])


def test_what_needs_no_pruning_is_shared() -> None:
    obj = {"spec": {"a": [{"b": 1}]}}
    schema = {"properties": {"spec": {"properties": {"a": {"items": {"properties": {"b": {}}}}}}}}
    assert pruned(schema, obj)[0] is obj


schemas = st.recursive(
    st.just({"type": "string"}),
    lambda inner: (
        st.builds(
            lambda properties: {"type": "object", "properties": properties},
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        )
        | st.builds(lambda items: {"type": "array", "items": items}, inner)
    ),
    max_leaves=6,
)
values = st.recursive(
    st.just("x"),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=80)
@given(schemas, st.dictionaries(st.sampled_from("abcd"), values, max_size=3))
def test_pruning_twice_is_pruning_once(schema: dict[str, Any], value: dict[str, Any]) -> None:
    once, _ = pruned(schema, value)
    assert pruned(schema, once) == (once, [])


def test_embedded_metadata_has_the_fields_that_all_metadata_has() -> None:
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    metadata = {"name": "x", "labels": {"a": "b"}, "colour": "red"}
    obj = {"metadata": metadata, "inner": {"kind": "A", "metadata": metadata, "free": 1}}
    kept, unknown = pruned({"type": "object", "properties": {"inner": embedded}}, obj)
    plain = {"name": "x", "labels": {"a": "b"}}
    assert kept == {"metadata": metadata, "inner": {"kind": "A", "metadata": plain, "free": 1}}
    assert unknown == ["inner.metadata.colour"]
