"""OpenAPI v2 as protobuf: `com.github.proto-openapi.spec.v2@v1.0+protobuf`, which client-go asks for.

The message types are gnostic's `openapi.v2`. Below are the numbers of those fields that a document of Kubernetes
uses; a document is the concatenation of its parts, so that each path and definition is encoded on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kubus.model.codec import to_json
from kubus.model.objects import Object

MEDIA = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
Encode = Callable[[Any], bytes]
"""From a JSON value to the bytes of a message or a string; bool, numbers and lists are told apart by `_Field`."""


def head(title: str, version: str) -> bytes:
    """The beginning of a document: `swagger` and `info`."""
    return _bytes(1, b"2.0") + _bytes(2, _bytes(1, title.encode()) + _bytes(2, version.encode()))


def path_part(path: str, item: Object) -> bytes:
    """A path of a document."""
    return _bytes(8, _bytes(2, _named(path, _path_item(item))))


def definition_part(name: str, schema: Object) -> bytes:
    """A definition of a document."""
    return _bytes(9, _bytes(1, _named(name, _schema(schema))))


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double(number: int, value: float) -> bytes:
    import struct  # no document of built-in kinds has one

    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _named(name: str, value: bytes) -> bytes:
    return _bytes(1, name.encode()) + _bytes(2, value)


def _any(value: Any) -> bytes:
    return _bytes(2, to_json(value) + b"\n")


_TEXT: Encode = lambda value: str(value).encode()  # noqa: E731  a name for what strings are encoded by
_Fields = Mapping[str, tuple[int, Encode | type]]
"""Field → its number, and how its value is encoded: a message or text by a function, else bool, int or float."""


def _message(fields: _Fields, value: Object, extensions: int = 0) -> bytes:
    out = []
    for key, each in value.items():
        if key in fields:
            number, encode = fields[key]
            for item in each if isinstance(each, list) else (each,):
                out.append(_field(number, encode, item))
        elif extensions and key.startswith("x-"):
            out.append(_bytes(extensions, _named(key, _any(each))))
    return b"".join(out)


def _field(number: int, encode: Any, value: Any) -> bytes:
    if encode is bool or encode is int:
        return _integer(number, int(value))
    if encode is float:
        return _double(number, float(value))
    return _bytes(number, encode(value))


def _schema(schema: Object) -> bytes:
    return _message(_SCHEMA, schema, 31)


def _properties(properties: Object) -> bytes:
    return b"".join(_bytes(1, _named(name, _schema(each))) for name, each in properties.items())


def _additional(value: Any) -> bytes:
    return _integer(2, int(value)) if isinstance(value, bool) else _bytes(1, _schema(value))


_LIMITS: _Fields = {
    "multipleOf": (6, float),
    "maximum": (7, float),
    "exclusiveMaximum": (8, bool),
    "minimum": (9, float),
    "exclusiveMinimum": (10, bool),
    "maxLength": (11, int),
    "minLength": (12, int),
    "pattern": (13, _TEXT),
    "maxItems": (14, int),
    "minItems": (15, int),
    "uniqueItems": (16, bool),
    "maxProperties": (17, int),
    "minProperties": (18, int),
}
_SCHEMA: _Fields = {
    "$ref": (1, _TEXT),
    "format": (2, _TEXT),
    "title": (3, _TEXT),
    "description": (4, _TEXT),
    "default": (5, _any),
    **_LIMITS,
    "required": (19, _TEXT),
    "enum": (20, _any),
    "additionalProperties": (21, _additional),
    "type": (22, lambda value: _bytes(1, _TEXT(value))),
    "items": (23, lambda value: _bytes(1, _schema(value))),
    "properties": (25, _properties),
}
_BODY: _Fields = {
    "description": (1, _TEXT),
    "name": (2, _TEXT),
    "in": (3, _TEXT),
    "required": (4, bool),
    "schema": (5, _schema),
}
_QUERY: _Fields = {
    "required": (1, bool),
    "in": (2, _TEXT),
    "description": (3, _TEXT),
    "name": (4, _TEXT),
    "type": (6, _TEXT),
    "format": (7, _TEXT),
    "uniqueItems": (20, bool),
}
_PATH: _Fields = {
    "required": (1, bool),
    "in": (2, _TEXT),
    "description": (3, _TEXT),
    "name": (4, _TEXT),
    "type": (5, _TEXT),
    "format": (6, _TEXT),
    "uniqueItems": (19, bool),
}


def _parameter(parameter: Object) -> bytes:
    """A ParametersItem."""
    place = parameter["in"]
    if place == "body":
        inner = _bytes(1, _message(_BODY, parameter))
    elif place == "query":
        inner = _bytes(2, _bytes(3, _message(_QUERY, parameter)))
    else:
        inner = _bytes(2, _bytes(4, _message(_PATH, parameter)))
    return _bytes(1, inner)


def _responses(responses: Object) -> bytes:
    return b"".join(_bytes(1, _named(code, _bytes(1, _message(_RESPONSE, each)))) for code, each in responses.items())


_RESPONSE: _Fields = {"description": (1, _TEXT), "schema": (2, lambda value: _bytes(1, _schema(value)))}
_OPERATION: _Fields = {
    "description": (3, _TEXT),
    "operationId": (5, _TEXT),
    "produces": (6, _TEXT),
    "consumes": (7, _TEXT),
    "parameters": (8, _parameter),
    "responses": (9, _responses),
}


def _operation(operation: Object) -> bytes:
    return _message(_OPERATION, operation, 13)


_PATH_ITEM: _Fields = {
    "get": (2, _operation),
    "put": (3, _operation),
    "post": (4, _operation),
    "delete": (5, _operation),
    "patch": (8, _operation),
    "parameters": (9, _parameter),
}


def _path_item(item: Object) -> bytes:
    return _message(_PATH_ITEM, item)
