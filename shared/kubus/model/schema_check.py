"""Does an object fit its definition? A fast yes, or a full account in Kubernetes' words.

Nearly every object that arrives fits, so there are two passes. `fits` compiles each definition once into a
closure over a dict of its fields and walks the object without keeping any path: about a tenth of a
microsecond a field. Only when it says no does `findings` walk again, slowly, and say where and what: unknown
fields as strict decoding reports them, wrong types as Go's JSON decoder does.

`fits` may say no of an object that has nothing wrong (a null, a quantity in another spelling): it then is
one that `normalized` changes.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from kubus.model.quantities import canonical
from kubus.model.times import parse_time

if TYPE_CHECKING:
    from kubus.model.schema import FieldSchema, Schemas

Check = Callable[[Any], bool]
"""Whether a value fits; it has the expected Python type already."""
Entry = tuple[type | None, Check | None]
"""The Python type that a field's value has (None: any), and what to ask of it beyond."""

_INT32 = 2**31
_INT64 = 2**63
PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "object": dict,
    "map": dict,
    "array": list,
}


class Findings(NamedTuple):
    """What is wrong with an object."""

    unknown: tuple[str, ...] = ()
    """Paths: `spec.template.spec.containers[0].foo`."""
    wrong_types: tuple[str, ...] = ()
    """Sentences: `json: cannot unmarshal string into Go struct field …`."""


def fits(schemas: Schemas, checks: dict[str, Check], name: str, obj: Any) -> bool:
    """Whether an object fits a definition as it stands. `checks` keeps what has been compiled."""
    check = checks.get(name) or _compile(schemas, checks, name)
    return type(obj) is dict and check(obj)


def _compile(schemas: Schemas, checks: dict[str, Check], name: str) -> Check:
    entries: dict[str, Entry] = {}

    def check(value: dict[str, Any]) -> bool:
        for key, item in value.items():
            entry = entries.get(key)
            if entry is None:
                return False
            expected, deeper = entry
            if expected is not None and type(item) is not expected:
                return False
            if deeper is not None and not deeper(item):
                return False
        return True

    checks[name] = check  # before the fields: definitions may contain themselves
    for key, each in schemas.fields(name).items():
        entries[key] = _entry(schemas, checks, each)
    return check


def _entry(schemas: Schemas, checks: dict[str, Check], schema: FieldSchema, *, nested: bool = False) -> Entry:
    if schema.type == "ref":
        definition = schemas.definition(schema.ref)
        if definition.type == "struct":
            return dict, checks.get(schema.ref) or _compile(schemas, checks, schema.ref)
        return _SPECIAL[definition.type]
    if schema.items is not None:
        held = _entry(schemas, checks, schema.items, nested=True)
        return _container(held, schema.type, may_be_empty=nested or schema.required)
    if schema.type == "any":
        return None, _not_null
    if schema.type == "number":
        return None, _is_number
    if schema.format in _FORMATS:
        return PYTHON_TYPES[schema.type], _FORMATS[schema.format]
    return PYTHON_TYPES[schema.type], None


def _container(entry: Entry, kind: str, *, may_be_empty: bool) -> Entry:
    expected, deeper = entry

    def every(items: list[Any] | dict[str, Any]) -> bool:
        if not items:
            return may_be_empty
        for item in items.values() if kind == "map" else items:  # type: ignore[union-attr]  # kind says which
            if expected is not None and type(item) is not expected:
                return False
            if deeper is not None and not deeper(item):
                return False
        return True

    return PYTHON_TYPES[kind], every


def _not_null(value: Any) -> bool:
    return value is not None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_int32(value: int) -> bool:
    return -_INT32 <= value < _INT32


def _is_int64(value: int) -> bool:
    return -_INT64 <= value < _INT64


def _is_base64(value: str) -> bool:
    try:
        b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_canonical(value: str) -> bool:
    try:
        return canonical(value) == value
    except ValueError:
        return False


def _is_int_or_string(value: Any) -> bool:
    return type(value) is str or (type(value) is int and _is_int32(value))


def _is_time(value: str) -> bool:
    try:
        parse_time(value)
    except ValueError:
        return False
    return True


_FORMATS: dict[str, Check] = {"int32": _is_int32, "int64": _is_int64, "byte": _is_base64}
_SPECIAL: dict[str, Entry] = {
    "quantity": (str, _is_canonical),
    "int-or-string": (None, _is_int_or_string),
    "date-time": (str, _is_time),
    "micro-time": (str, _is_time),
    "object": (dict, None),
    "any": (None, _not_null),
}


def findings(schemas: Schemas, name: str, obj: Any) -> Findings:
    """The full account of an object."""
    walk = _Walk(schemas)
    walk.struct(name, obj, "", "", "")
    return Findings(tuple(walk.unknown), tuple(walk.wrong))


class _Walk:
    """One slow pass. `path` has list indexes, `go` (as Go's decoder counts) has not."""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self.unknown: list[str] = []
        self.wrong: list[str] = []

    def struct(self, name: str, value: Any, path: str, go: str, owner: str) -> None:
        if type(value) is not dict:
            self.mismatch(value, owner, go, go_type_name(name))
            return
        fields = self.schemas.fields(name)
        short = name.rpartition(".")[2]
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            schema = fields.get(key)
            if schema is None:
                self.unknown.append(inner)
            elif item is not None:
                self.value(schema, item, inner, f"{go}.{key}" if go else key, short)

    def value(self, schema: FieldSchema, value: Any, path: str, go: str, owner: str) -> None:
        if schema.type == "ref":
            kind = self.schemas.definition(schema.ref).type
            if kind == "struct":
                self.struct(schema.ref, value, path, go, owner)
            elif kind in _SPECIAL_ERRORS:
                self.wrong.extend(_SPECIAL_ERRORS[kind](value))
        elif schema.items is not None:
            self.container(schema, value, path, go, owner)
        elif schema.type != "any":
            self.scalar(schema, value, go, owner)

    def container(self, schema: FieldSchema, value: Any, path: str, go: str, owner: str) -> None:
        if schema.items is None or type(value) is not PYTHON_TYPES[schema.type]:
            self.mismatch(value, owner, go, go_type(self.schemas, schema))
            return
        is_map = schema.type == "map"
        for key, item in _pairs(value):
            if item is not None:
                self.value(schema.items, item, f"{path}.{key}" if is_map else f"{path}[{key}]", go, owner)

    def scalar(self, schema: FieldSchema, value: Any, go: str, owner: str) -> None:
        if schema.type == "number":
            fine = _is_number(value)
        elif type(value) is not PYTHON_TYPES[schema.type]:
            fine = schema.type == "integer" and type(value) is float and value.is_integer() and abs(value) < _INT64
        else:
            fine = schema.format == "byte" or schema.format not in _FORMATS or _FORMATS[schema.format](value)
        if not fine:
            self.mismatch(value, owner, go, go_type(self.schemas, schema), exact=schema.type == "integer")
        elif schema.format == "byte" and not _is_base64(value):
            self.wrong.append(f"illegal base64 data at input byte {_first_bad_byte(value)}")

    def mismatch(self, value: Any, owner: str, go: str, wanted: str, *, exact: bool = False) -> None:
        """Say it as Go does; for integers it names the number that does not fit."""
        word = json_word(value)
        if exact and word == "number":
            word = f"number {value}"
        where = f"struct field {owner}.{go}" if owner else "value"
        self.wrong.append(f"json: cannot unmarshal {word} into Go {where} of type {wanted}")


def _pairs(container: Any) -> list[tuple[Any, Any]]:
    return list(container.items() if isinstance(container, dict) else enumerate(container))


def json_word(value: Any) -> str:
    """string, number, bool, array, object or null: as Go names JSON values."""
    return {str: "string", bool: "bool", list: "array", dict: "object", type(None): "null"}.get(type(value), "number")


def go_type_name(name: str) -> str:
    """`v1.PodSpec` of `io.k8s.api.core.v1.PodSpec`."""
    return ".".join(name.rsplit(".", 2)[1:])


def go_type(schemas: Schemas, schema: FieldSchema) -> str:
    """The Go type of a field: `int32`, `[]v1.Container`, `map[string]string`."""
    if schema.type == "array" and schema.items is not None:
        return "[]" + go_type(schemas, schema.items)
    if schema.type == "map" and schema.items is not None:
        return "map[string]" + go_type(schemas, schema.items)
    if schema.type == "ref":
        return go_type_name(schema.ref)
    by_type = {"boolean": "bool", "number": "float64", "object": "map[string]interface {}"}
    return {"byte": "[]uint8", "int32": "int32", "int64": "int64"}.get(
        schema.format, by_type.get(schema.type, schema.type)
    )


def _first_bad_byte(text: str) -> int:
    alphabet = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    body = text.rstrip("=")
    return next((index for index, letter in enumerate(body) if letter not in alphabet), len(text) - len(text) % 4)


def _quantity_errors(value: Any) -> list[str]:
    try:
        canonical(value if type(value) in (str, int, float) else "")
    except ValueError as error:
        return [str(error)]
    return []


def _int_or_string_errors(value: Any) -> list[str]:
    if _is_int_or_string(value):
        return []
    word = json_word(value)
    shown = f"number {value}" if word == "number" else word
    return [f"json: cannot unmarshal {shown} into Go value of type int32"]


def _time_errors(layout: str) -> Callable[[Any], list[str]]:
    def errors(value: Any) -> list[str]:
        if type(value) is not str:
            return [f"json: cannot unmarshal {json_word(value)} into Go value of type string"]
        if _is_time(value):
            return []
        return [f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"']

    return errors


def _object_errors(value: Any) -> list[str]:
    if type(value) is dict:
        return []
    return [f"json: cannot unmarshal {json_word(value)} into Go value of type map[string]interface {{}}"]


_SPECIAL_ERRORS: dict[str, Callable[[Any], list[str]]] = {
    "quantity": _quantity_errors,
    "int-or-string": _int_or_string_errors,
    "date-time": _time_errors("2006-01-02T15:04:05Z07:00"),
    "micro-time": _time_errors("2006-01-02T15:04:05.000000Z07:00"),
    "object": _object_errors,
}
