"""Schemas of custom resources as types."""

from __future__ import annotations

from typing import Any

from kubus.model.managedfields.structural_types import custom_resource_type, structural_type
from kubus.model.managedfields.types import ANYTHING, DEDUCED, Fields, Items, Leaf

TEXT = {"type": "string"}


def test_scalars_are_leaves_of_their_shape() -> None:
    for kind, shape in (("string", "string"), ("integer", "numeric"), ("number", "numeric"), ("boolean", "boolean")):
        made = structural_type({"type": kind})
        assert isinstance(made, Leaf)
        assert made.shape == shape
    assert structural_type({"x-kubernetes-int-or-string": True}) is ANYTHING


def test_lists_are_atomic_unless_they_say_otherwise() -> None:
    assert isinstance(structural_type({"type": "array", "items": TEXT}), Leaf)
    as_set = structural_type({"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"})
    assert isinstance(as_set, Items)
    assert not as_set.keys


def test_lists_with_keys_take_the_defaults_of_their_keys() -> None:
    item = {"type": "object", "properties": {"port": {"type": "integer"}, "protocol": {**TEXT, "default": "TCP"}}}
    schema = {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["protocol", "port"],
    }
    made = structural_type(schema)
    assert isinstance(made, Items)
    assert made.element({"port": 1}) == 'k:{"port":1,"protocol":"TCP"}'


def test_objects_are_taken_field_by_field_unless_atomic() -> None:
    made = structural_type({"type": "object", "properties": {"a": TEXT}})
    assert isinstance(made, Fields)
    assert made.items is None
    assert isinstance(structural_type({"type": "object", "x-kubernetes-map-type": "atomic"}), Leaf)
    labels = structural_type({"type": "object", "additionalProperties": TEXT})
    assert isinstance(labels, Fields)
    assert isinstance(labels.items, Leaf)


def test_unknown_fields_that_are_kept_are_told_by_their_values() -> None:
    made = structural_type({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    assert isinstance(made, Fields)
    assert made.items is DEDUCED
    assert structural_type({"x-kubernetes-preserve-unknown-fields": True}) is DEDUCED


def test_an_embedded_resource_has_its_type_and_metadata() -> None:
    schema: dict[str, Any] = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": TEXT}}
    made = structural_type(schema)
    assert isinstance(made, Fields)
    assert set(made.entries) == {"spec", "apiVersion", "kind", "metadata"}


def test_a_whole_resource_has_kubernetes_metadata() -> None:
    meta = Fields()
    for schema in (None, {"type": "object", "properties": {"metadata": {"type": "object"}, "spec": TEXT}}):
        made = custom_resource_type(schema, meta)
        assert isinstance(made, Fields)
        assert made.entries["metadata"].type is meta
    assert made.entry("spec").type is not DEDUCED
