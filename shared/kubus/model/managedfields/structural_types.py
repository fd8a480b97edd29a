"""Types from a structural schema, as a CustomResourceDefinition has it.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubus.model.managedfields.types import ANYTHING, DEDUCED, Fields, Items, Leaf, Type

_SHAPES = {"string": "string", "integer": "numeric", "number": "numeric", "boolean": "boolean"}


def custom_resource_type(schema: Mapping[str, Any] | None, object_meta: Type) -> Type:
    """The type of a whole custom resource; `object_meta` is that of ObjectMeta."""
    root = structural_type(schema or {"x-kubernetes-preserve-unknown-fields": True})
    fields = Fields(items=DEDUCED)
    if isinstance(root, Fields):
        fields.entries.update(root.entries)
        fields.items = root.items
    fields.declare("apiVersion", Leaf("string"))
    fields.declare("kind", Leaf("string"))
    fields.declare("metadata", object_meta)
    return fields


def structural_type(schema: Mapping[str, Any]) -> Type:
    """The type of one (part of a) structural schema."""
    if schema.get("x-kubernetes-int-or-string"):
        return ANYTHING
    kind = schema.get("type") or ("object" if "properties" in schema else "")
    if kind == "object":
        return _object(schema)
    if kind == "array":
        return _array(schema)
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return DEDUCED
    return Leaf(_SHAPES.get(kind, ""))


def _object(schema: Mapping[str, Any]) -> Type:
    if schema.get("x-kubernetes-map-type") == "atomic":
        return Leaf("map")
    fields = Fields()
    for name, each in (schema.get("properties") or {}).items():
        fields.declare(name, structural_type(each))
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        fields.items = structural_type(additional)
    elif additional or schema.get("x-kubernetes-preserve-unknown-fields"):
        fields.items = DEDUCED
    elif not fields.entries:
        fields.items = ANYTHING
    if schema.get("x-kubernetes-embedded-resource"):
        for name in ("apiVersion", "kind"):
            fields.declare(name, Leaf("string"))
        if "metadata" not in fields.entries:
            fields.declare("metadata", DEDUCED)
    return fields


def _array(schema: Mapping[str, Any]) -> Type:
    items, list_type = schema.get("items") or {}, schema.get("x-kubernetes-list-type")
    if list_type == "set":
        return Items(structural_type(items))
    keys = tuple(sorted(schema.get("x-kubernetes-list-map-keys") or ()))
    if list_type != "map" or not keys:
        return Leaf("list")
    properties = items.get("properties") or {}
    defaults = {key: properties[key]["default"] for key in keys if "default" in (properties.get(key) or {})}
    return Items(structural_type(items), keys, defaults)
