"""Bringing an object into the shape that Kubernetes would write it in, and what it lacks.

Kubernetes decodes an object into structs and encodes it again; what a client sent as null, as an unknown
field, as an empty optional list or as `cpu: 1` comes back missing, missing, missing and `cpu: "1"`. kubus keeps dicts,
so it does the same by the schema. Only what changes is copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubus.model.objects import Object
from kubus.model.quantities import canonical

if TYPE_CHECKING:
    from kubus.model.schema import FieldSchema, Schemas


def normalized(schemas: Schemas, name: str, obj: Object) -> Object:
    """The object without unknown fields, nulls and empty optional containers, its quantities canonical."""
    shaped = _Shaper(schemas).struct(name, obj)
    return shaped if isinstance(shaped, dict) else obj


class _Shaper:
    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas

    def struct(self, name: str, value: Any) -> Any:
        if type(value) is not dict:
            return value
        fields = self.schemas.fields(name)
        result: dict[str, Any] = {}
        for key, item in value.items():
            schema = fields.get(key)
            if schema is None or item is None or (not item and schema.items is not None and not schema.required):
                continue
            result[key] = self.value(schema, item)
        return result

    def value(self, schema: FieldSchema, value: Any) -> Any:
        if schema.type == "ref":
            return self.reference(schema.ref, value)
        if schema.items is not None:
            return self.container(schema.items, value)
        if schema.type == "integer" and type(value) is float and value.is_integer():
            return int(value)
        return value

    def reference(self, name: str, value: Any) -> Any:
        kind = self.schemas.definition(name).type
        if kind == "struct":
            return self.struct(name, value)
        if kind == "quantity" and type(value) in (str, int, float):
            return canonical(value)
        return value

    def container(self, items: FieldSchema, value: Any) -> Any:
        if type(value) is list:
            return [self.value(items, item) for item in value if item is not None]
        if type(value) is dict:
            empty = "" if items.type == "string" else None  # a null string in a map is an empty one to Go
            shaped = {key: empty if item is None else self.value(items, item) for key, item in value.items()}
            return {key: item for key, item in shaped.items() if item is not None}
        return value


def missing_fields(schemas: Schemas, name: str, obj: Any, path: str = "") -> list[str]:
    """The paths of required fields that are absent or null, in the order of the schema."""
    if type(obj) is not dict:
        return []
    missing: list[str] = []
    for key, schema in schemas.fields(name).items():
        inner = f"{path}.{key}" if path else key
        value = obj.get(key)
        if value is None:
            if schema.required:
                missing.append(inner)
        elif schema.type == "ref":
            if schemas.definition(schema.ref).type == "struct":
                missing += missing_fields(schemas, schema.ref, value, inner)
        elif schema.items_ref and schemas.definition(schema.items_ref).type == "struct":
            pairs = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
            for index, item in pairs:
                at = f"{inner}.{index}" if schema.type == "map" else f"{inner}[{index}]"
                missing += missing_fields(schemas, schema.items_ref, item, at)
    return missing
