"""Defaulting: what a schema has a default for is filled in, on the way in and on the way out of the store.

A null where null is not allowed counts as absent: it becomes the default, or goes. Defaults of fields below an absent
object do not bring that object about.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
"""

from __future__ import annotations

from typing import Any

from kubus.model.codec import pack, unpack
from kubus.model.objects import Object


def has_defaults(schema: Object) -> bool:
    """Whether a schema holds any default."""
    if "default" in schema:
        return True
    further = schema.get("additionalProperties")
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), further]
    return any(has_defaults(each) for each in below if isinstance(each, dict))


def set_defaults(schema: Object, value: Any) -> None:
    """Fill in what is absent, in place; idempotent."""
    if isinstance(value, dict):
        _set_in_object(schema, value)
    elif isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            for each in value:
                set_defaults(items, each)


def _set_in_object(schema: Object, value: Object) -> None:
    properties, further = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, inner in properties.items():
        if value.get(key) is None and "default" in inner and (key not in value or not inner.get("nullable")):
            value[key] = unpack(pack(inner["default"]))
    for key in [key for key, each in value.items() if each is None]:
        inner = properties.get(key, further)
        if isinstance(inner, dict) and not inner.get("nullable"):
            del value[key]
    for key, each in value.items():
        inner = properties.get(key, further)
        if isinstance(inner, dict):
            set_defaults(inner, each)
