"""Definitions as OpenAPI v3 schemas, with the extensions that kubectl's three-way merge and `explain` read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubus.model.objects import Object
from kubus.model.schema import Definition, FieldSchema, Schemas
from kubus_apiserver.documents.descriptions import Description, descriptions, python_name

REFERENCE = "#/components/schemas/"
GVK = "x-kubernetes-group-version-kind"
_SPECIAL: dict[str, Object] = {
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "int-or-string": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    "date-time": {"type": "string", "format": "date-time"},
    "micro-time": {"type": "string", "format": "date-time"},
    "object": {"type": "object"},
    "any": {},
}


def reference(name: str) -> Object:
    """A `$ref` to a component."""
    return {"$ref": f"{REFERENCE}{name}"}


def gvk(group: str, version: str, kind: str) -> dict[str, str]:
    """A kind as the extension names it."""
    return {"group": group, "kind": kind, "version": version}


def component_schemas(schemas: Schemas, roots: Iterable[str]) -> dict[str, Object]:
    """The schemas of definitions and of all that they refer to, by name."""
    names = _reached(schemas, roots)
    prose = {package: descriptions(package) for package in {name.rpartition(".")[0] for name in names}}
    return {name: _component(schemas.definition(name), *_described(prose, name)) for name in sorted(names)}


def _reached(schemas: Schemas, roots: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = [name for name in roots if name in schemas]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [ref for field in schemas.fields(name).values() for ref in _references(field)]
    return found


def _references(field: FieldSchema) -> list[str]:
    if field.items is not None:
        return _references(field.items)
    return [field.ref] if field.ref else []


def _described(prose: dict[str, dict[str, Description]], name: str) -> tuple[str, dict[str, str]]:
    package, _, short = name.rpartition(".")
    found = prose[package].get(short)
    return (found.text, found.fields) if found else ("", {})


def _component(definition: Definition, text: str, prose: dict[str, str]) -> Object:
    schema: Object = {"description": text} if text else {}
    if definition.type != "struct":
        return {**schema, **_SPECIAL[definition.type]}
    schema["type"] = "object"
    if definition.fields:
        schema["properties"] = {
            name: _property(field, prose.get(python_name(name), "")) for name, field in definition.fields.items()
        }
    if required := [name for name, field in definition.fields.items() if field.required]:
        schema["required"] = required
    if definition.map_type:
        schema["x-kubernetes-map-type"] = definition.map_type
    if definition.kinds:
        schema[GVK] = [gvk(*each) for each in definition.kinds]
    return schema


def _property(field: FieldSchema, text: str) -> Object:
    schema: Object = {"description": text} if text else {}
    schema.update(_type(field))
    extensions: dict[str, Any] = {
        "enum": list(field.enum),
        "x-kubernetes-list-type": field.list_type,
        "x-kubernetes-list-map-keys": list(field.list_map_keys),
        "x-kubernetes-map-type": field.map_type,
        "x-kubernetes-patch-strategy": field.patch_strategy,
        "x-kubernetes-patch-merge-key": field.patch_merge_key,
    }
    schema.update({name: value for name, value in extensions.items() if value})
    return schema


def _type(field: FieldSchema) -> Object:
    if field.type == "ref":
        return {"allOf": [reference(field.ref)]}
    if field.type == "any":
        return {}
    if field.items is not None:
        inner = _type(field.items)
        return {"type": "array", "items": inner} if field.type == "array" else _map_of(inner)
    return {"type": field.type, "format": field.format} if field.format else {"type": field.type}


def _map_of(inner: Object) -> Object:
    return {"type": "object", "additionalProperties": inner}
