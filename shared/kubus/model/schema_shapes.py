"""The shape of a built-in object, for the type checking of policies.

Quantities are texts, `intOrString` is anything, times are times: what the API documents say.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from kubus.model.cel.shapes import DYN, Shape
from kubus.model.schema import FieldSchema, Schemas

_KINDS = {"string": "string", "integer": "int", "number": "double", "boolean": "bool"}
_SPECIAL = {"quantity": "string", "date-time": "timestamp", "micro-time": "timestamp"}


def definition_shape(schemas: Schemas, name: str) -> Shape:
    """The shape of a definition, by its name in the API documents."""
    definition = schemas.definition(name)
    if definition.type in _SPECIAL:
        return Shape(_SPECIAL[definition.type])
    if definition.type != "struct":
        return DYN
    return Shape("object", partial(_fields, schemas, name), name.replace(".", "_").replace("-", "_"))


def _fields(schemas: Schemas, name: str) -> Mapping[str, Shape]:
    fields = schemas.fields(name).items()
    return {key: _field(schemas, field) for key, field in fields if key.isidentifier() and key.isascii()}


def _field(schemas: Schemas, field: FieldSchema) -> Shape:
    if field.type == "ref":
        return definition_shape(schemas, field.ref)
    if field.type in ("array", "map") and field.items is not None:
        return Shape("list" if field.type == "array" else "map", items=_field(schemas, field.items))
    if field.format == "byte":
        return Shape("bytes")
    return Shape(_KINDS[field.type]) if field.type in _KINDS else DYN
