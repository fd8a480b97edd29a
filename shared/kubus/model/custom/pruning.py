"""Pruning: a custom object keeps only the fields that its schema names.

Fields below `x-kubernetes-preserve-unknown-fields` stay, as do `apiVersion`, `kind` and `metadata` of the object and of
embedded ones. These have the metadata that all objects have; the object's own is looked at with the request. Nothing is
changed in place: what needs no pruning is shared.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning
"""

from __future__ import annotations

from typing import Any

from kubus.model.objects import Object
from kubus.model.schema import load_schemas

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
OF_EVERY_OBJECT = frozenset({"apiVersion", "kind", "metadata"})


def pruned(schema: Object, obj: Object) -> tuple[Object, list[str]]:
    """The object without unknown fields, and their paths."""
    unknown: list[str] = []
    kept: Object = _pruned(schema, obj, "", unknown, is_object=True)
    return kept, unknown


def _pruned(schema: Object, value: Any, path: str, unknown: list[str], *, is_object: bool = False) -> Any:
    if isinstance(value, dict):
        return _fields(schema, value, path, unknown, is_object=is_object or bool(schema.get(EMBEDDED)))
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict):
        kept = [_pruned(items, each, f"{path}[{place}]", unknown) for place, each in enumerate(value)]
        return kept if any(new is not old for new, old in zip(kept, value, strict=True)) else value
    return value


def _fields(schema: Object, value: Object, path: str, unknown: list[str], *, is_object: bool) -> Object:
    properties, further = schema.get("properties") or {}, schema.get("additionalProperties")
    kept: Object = {}
    changed = False
    for key, inner in value.items():
        below = f"{path}.{key}" if path else key
        known = properties.get(key)
        if is_object and key in OF_EVERY_OBJECT:
            is_embedded = key == "metadata" and path
            kept[key] = _metadata(inner, below, unknown) if is_embedded else inner
            changed = changed or kept[key] is not inner
            continue
        if known is None and isinstance(further, dict):
            known = further
        if known is not None:
            kept[key] = _pruned(known, inner, below, unknown)
            changed = changed or kept[key] is not inner
        elif further is True or schema.get(PRESERVE):
            kept[key] = inner
        else:
            unknown.append(below)
            changed = True
    return kept if changed else value


def _metadata(value: Any, path: str, unknown: list[str]) -> Any:
    known = load_schemas().fields(_OBJECT_META)
    if not isinstance(value, dict) or value.keys() <= known.keys():
        return value
    unknown += [f"{path}.{key}" for key in value if key not in known]
    return {key: each for key, each in value.items() if key in known}
