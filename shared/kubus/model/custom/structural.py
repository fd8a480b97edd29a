"""Whether a schema is structural: one by which objects can be pruned, defaulted, published and merged.

Every field has a type; what unions (`allOf`, `anyOf`, `oneOf`, `not`) say is about values only; defaults are valid;
lists of type map have keys. The rules that a schema states in CEL are compiled here too.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubus.model.custom.pruning import EMBEDDED, PRESERVE, pruned
from kubus.model.custom.rules import RULES
from kubus.model.custom.statements import statement_errors
from kubus.model.custom.values import INT_OR_STRING, value_errors
from kubus.model.errors import FieldError, forbidden_field, invalid, not_supported, required
from kubus.model.objects import Object
from kubus.model.regular import is_match

TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNIONS = ("allOf", "anyOf", "oneOf")
_FORBIDDEN = ("$ref", "definitions", "dependencies", "patternProperties", "id", "$schema", "additionalItems")
_ONLY_OUTSIDE_UNIONS = (
    "type",
    "default",
    "nullable",
    "title",
    "description",
    "additionalProperties",
    PRESERVE,
    EMBEDDED,
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    RULES,
)
_LIST_TYPES = ("atomic", "set", "map")
_MAP_TYPES = ("atomic", "granular")


def schema_errors(schema: Object, path: str) -> list[FieldError]:
    """What is wrong with the schema of a version."""
    errors: list[FieldError] = []
    if not schema.get("type"):
        errors.append(required(f"{path}.type", "must not be empty at the root"))
    elif schema["type"] != "object":
        errors.append(invalid(f"{path}.type", schema["type"], "must be object at the root"))
    metadata = (schema.get("properties") or {}).get("metadata") or {}
    if set(metadata.get("properties") or ()) - {"name", "generateName"} or set(metadata) - {
        "type",
        "description",
        "properties",
    }:
        detail = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        errors.append(forbidden_field(f"{path}.properties[metadata]", detail))
    return [*errors, *_errors(schema, path), *statement_errors(schema, path)]


def _errors(schema: Object, path: str) -> Iterator[FieldError]:
    yield from _of_type(schema, path)
    for name in _FORBIDDEN:
        if name in schema:
            yield forbidden_field(f"{path}.{name}", f"{name} is not supported")
    if schema.get("uniqueItems"):
        yield forbidden_field(
            f"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        )
    if schema.get(PRESERVE) is False:
        yield invalid(f"{path}.{PRESERVE}", False, "must be true or undefined")
    yield from _of_pattern(schema, path)
    yield from _of_list(schema, path)
    yield from _of_default(schema, path)
    for name in _UNIONS:
        for place, each in enumerate(schema.get(name) or ()):
            yield from _in_union(each, f"{path}.{name}[{place}]", may_type=bool(schema.get(INT_OR_STRING)))
    if isinstance(schema.get("not"), dict):
        yield from _in_union(schema["not"], f"{path}.not", may_type=False)
    yield from _below(schema, path)


def _below(schema: Object, path: str) -> Iterator[FieldError]:
    properties, further, items = (schema.get(each) for each in ("properties", "additionalProperties", "items"))
    if properties and further not in (None, False):
        yield forbidden_field(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    for key, each in (properties or {}).items():
        below = f"{path}.properties[{key}]"
        yield from _untyped(each, below, "must not be empty for specified object fields")
        yield from _errors(each, below)
    if isinstance(further, dict):
        yield from _untyped(further, f"{path}.additionalProperties", "must not be empty for specified object fields")
        yield from _errors(further, f"{path}.additionalProperties")
    if isinstance(items, dict):
        yield from _untyped(items, f"{path}.items", "must not be empty for specified array items")
        yield from _errors(items, f"{path}.items")
    elif items is not None:
        yield forbidden_field(f"{path}.items", "items must be a schema object and not an array")


def _untyped(schema: Object, path: str, words: str) -> Iterator[FieldError]:
    if not schema.get("type") and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        yield required(f"{path}.type", words)


def _of_type(schema: Object, path: str) -> Iterator[FieldError]:
    type_ = schema.get("type")
    if type_ and type_ not in TYPES:
        yield not_supported(f"{path}.type", type_, TYPES)
    if schema.get(INT_OR_STRING) and type_:
        yield invalid(f"{path}.type", type_, f"must be empty if {INT_OR_STRING} is true")
    if schema.get(EMBEDDED):
        if type_ != "object":
            yield invalid(f"{path}.type", type_ or "", f"must be object if {EMBEDDED} is true")
        if not schema.get("properties") and not schema.get(PRESERVE):
            detail = f"must not be empty if {EMBEDDED} is true without {PRESERVE}"
            yield required(f"{path}.properties", detail)
    if schema.get("properties") and type_ and type_ != "object":
        yield forbidden_field(f"{path}.properties", "must be empty unless type is object")


def _of_pattern(schema: Object, path: str) -> Iterator[FieldError]:
    pattern = schema.get("pattern")
    if pattern:
        try:
            is_match(pattern, "")
        except ValueError as error:
            yield invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}")


def _of_list(schema: Object, path: str) -> Iterator[FieldError]:
    type_, list_type = schema.get("type"), schema.get("x-kubernetes-list-type")
    if type_ == "array" and schema.get("items") is None:
        yield required(f"{path}.items", "must be specified")
    map_type = schema.get("x-kubernetes-map-type")
    if map_type is not None and map_type not in _MAP_TYPES:
        yield not_supported(f"{path}.x-kubernetes-map-type", map_type, _MAP_TYPES)
    keys = schema.get("x-kubernetes-list-map-keys")
    if list_type is not None:
        if list_type not in _LIST_TYPES:
            yield not_supported(f"{path}.x-kubernetes-list-type", list_type, _LIST_TYPES)
        if type_ != "array":
            yield invalid(f"{path}.type", type_ or "", "must be array if x-kubernetes-list-type is specified")
    if list_type != "map":
        if keys:
            yield forbidden_field(
                f"{path}.x-kubernetes-list-map-keys", "must not be set if x-kubernetes-list-type is not map"
            )
        return
    if not keys:
        yield required(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
        return
    items = schema.get("items")
    properties = items.get("properties") or {} if isinstance(items, dict) else {}
    needed = items.get("required") or () if isinstance(items, dict) else ()
    for place, key in enumerate(keys):
        if key not in properties:
            yield invalid(
                f"{path}.x-kubernetes-list-map-keys[{place}]",
                key,
                "entries must all be names of item properties",
            )
        elif key not in needed and "default" not in properties[key]:
            detail = (
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            )
            yield required(f"{path}.items.properties[{key}].default", detail)


def _of_default(schema: Object, path: str) -> Iterator[FieldError]:
    if "default" not in schema:
        return
    default = schema["default"]
    for error in value_errors(schema, default):
        where = f"{path}.default" if error.field in ("", "<nil>") else f"{path}.default.{error.field}"
        yield error._replace(field=where)
    if isinstance(default, dict) and pruned({"properties": {"value": schema}}, {"value": default})[1]:
        yield invalid(f"{path}.default", default, "must not have unknown fields")


def _in_union(schema: Any, path: str, *, may_type: bool) -> Iterator[FieldError]:
    if not isinstance(schema, dict):
        return
    for name in _ONLY_OUTSIDE_UNIONS:
        if name in schema and not (name == "type" and may_type) and schema[name] not in (None, False, ""):
            yield forbidden_field(f"{path}.{name}", "must be empty to be structural")
    yield from _of_pattern(schema, path)
    for key, each in (schema.get("properties") or {}).items():
        yield from _in_union(each, f"{path}.properties[{key}]", may_type=False)
    yield from _in_union(schema.get("items"), f"{path}.items", may_type=False)
    yield from _in_union(schema.get("not"), f"{path}.not", may_type=False)
    for name in _UNIONS:
        for place, each in enumerate(schema.get(name) or ()):
            yield from _in_union(each, f"{path}.{name}[{place}]", may_type=False)
