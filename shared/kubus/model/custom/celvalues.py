"""Custom objects as CEL sees them: names that are no identifiers escaped, numbers of the type that their schema says.

Only what a schema declares is visible to a rule (`celshapes`); of the object's own metadata that is `name` and
`generateName`. Texts of the formats `date-time`, `date` and `duration` are times.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

from kubus.model.cel.values import moment, span
from kubus.model.custom.formats import duration_of, time_of
from kubus.model.custom.pruning import EMBEDDED
from kubus.model.objects import Object

_RESERVED = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return"),
    }
)
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_SPEAKABLE = re.compile(r"[A-Za-z_./-][A-Za-z0-9_./-]*")
_TYPE_META: Object = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
_METADATA: Object = {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}}
ROOT_PROPERTIES: Object = {**_TYPE_META, "metadata": _METADATA}


def escaped(name: str) -> str | None:
    """How an expression names a field; None if it cannot."""
    if name in _RESERVED:
        return f"__{name}__"
    if _SPEAKABLE.fullmatch(name) is None:
        return None
    for plain, escape in _ESCAPES:
        name = name.replace(plain, escape) if plain == "__" else name
    for plain, escape in _ESCAPES[1:]:
        name = name.replace(plain, escape)
    return name


def properties_of(schema: Object, *, is_object: bool) -> Object:
    """The fields that are visible, with their schemas."""
    properties: Object = schema.get("properties") or {}
    return {**properties, **ROOT_PROPERTIES} if is_object or schema.get(EMBEDDED) else properties


def cel_value(schema: Object, value: Any, *, is_object: bool = False) -> Any:
    """A value as expressions see it; `is_object` at the root of a custom object."""
    if isinstance(value, dict):
        return _cel_object(schema, value, is_object=is_object)
    if isinstance(value, list):
        items = schema.get("items")
        return [cel_value(items, each) for each in value] if isinstance(items, dict) else value
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.get("type") == "integer" and isinstance(value, float):
        return int(value)
    if schema.get("type") == "string" and isinstance(value, str):
        return _text(schema.get("format") or "", value)
    return value


def _text(format_: str, text: str) -> Any:
    """A text of a format; one that does not fit it stays what it is."""
    try:
        if format_ == "byte":
            return b64decode(text)
        if format_ in ("date-time", "date"):
            return moment(time_of(text))
        if format_ == "duration":
            return span(duration_of(text))
    except (ValueError, OverflowError):
        return text
    return text


def _cel_object(schema: Object, value: Object, *, is_object: bool) -> Object:
    further = schema.get("additionalProperties")
    if isinstance(further, dict):
        return {key: cel_value(further, each) for key, each in value.items()}
    properties = properties_of(schema, is_object=is_object)
    if not properties and further is True:
        return value
    return {
        name: cel_value(properties[key], each)
        for key, each in value.items()
        if key in properties and (name := escaped(key)) is not None
    }
