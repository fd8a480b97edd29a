"""Which fields a rule names that its schema does not have: `undefined field 'max'`.

To the CEL library an object is a map, where any name may be asked for. So the checked expression is walked once more
with the schemas: a variable has one, a field of it has one, the items of a list have one; what a function makes has
none, and nothing is said about that. The tree comes as protobuf, of which eight messages are read here.

https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubus.model.custom.celvalues import escaped, properties_of
from kubus.model.custom.pruning import PRESERVE
from kubus.model.objects import Object

_IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION, _CONSTANT = 4, 5, 6, 7, 8, 9, 3
Message = dict[int, list[Any]]
Schema = Object | None
_IS_OBJECT = "x-kubus-is-object"
"""Marks the schema of a whole object, where `metadata` and the like can be seen too."""


def undefined_fields(checked: bytes, variables: Mapping[str, Object]) -> list[str]:
    """The names of fields that are not there; `variables` have the schemas."""
    wrapped = _message(checked)
    root = _message(_message(wrapped[2][0])[4][0])
    found: list[str] = []
    _Walk(found).schema_of(root, dict(variables))
    return list(dict.fromkeys(found))


def whole(schema: Object) -> Object:
    """The schema of a whole object."""
    return {**schema, _IS_OBJECT: True}


class _Walk:
    """One walk over an expression."""

    def __init__(self, found: list[str]) -> None:
        self._found = found

    def schema_of(self, node: Message, scope: dict[str, Schema]) -> Schema:
        """The schema of the value of a node, None where nothing is known."""
        if _IDENT in node:
            return scope.get(_text(_message(node[_IDENT][0]), 1))
        if _SELECT in node:
            select = _message(node[_SELECT][0])
            return self._field(self.schema_of(_message(select[1][0]), scope), _text(select, 2))
        if _CALL in node:
            return self._called(_message(node[_CALL][0]), scope)
        if _COMPREHENSION in node:
            return self._comprehended(_message(node[_COMPREHENSION][0]), scope)
        for kind, part in ((_LIST, 1), (_STRUCT, 2)):
            for each in _message(node[kind][0]).get(part, ()) if kind in node else ():
                self._below(_message(each), kind, scope)
        return None

    def _below(self, part: Message, kind: int, scope: dict[str, Schema]) -> None:
        if kind == _LIST:
            self.schema_of(part, scope)
            return
        for each in (3, 4):
            if each in part:
                self.schema_of(_message(part[each][0]), scope)

    def _field(self, schema: Schema, name: str) -> Schema:
        if schema is None or schema.get("type") != "object":
            return None
        further = schema.get("additionalProperties")
        if isinstance(further, dict):
            return further
        properties = properties_of(schema, is_object=bool(schema.get(_IS_OBJECT)))
        for key, below in properties.items():
            if escaped(key) == name:
                inner: Object = below
                return inner
        if not further and not (schema.get(PRESERVE) and not properties):
            self._found.append(name)
        return None

    def _called(self, call: Message, scope: dict[str, Schema]) -> Schema:
        if 1 in call:
            self.schema_of(_message(call[1][0]), scope)
        arguments = [_message(each) for each in call.get(3, ())]
        schemas = [self.schema_of(each, scope) for each in arguments]
        function = _text(call, 2)
        if function == "_?._" and schemas[0] is not None:
            return self._field(schemas[0], _constant_text(arguments[1]))
        if function == "_[_]" and schemas[0] is not None:
            items = schemas[0].get("items") or schemas[0].get("additionalProperties")
            return items if isinstance(items, dict) else None
        return None

    def _comprehended(self, loop: Message, scope: dict[str, Schema]) -> Schema:
        over = self.schema_of(_message(loop[2][0]), scope)
        inner = {**scope, _text(loop, 3): None, **_loop_variables(loop, over)}
        for part in (4, 5, 6, 7):
            if part in loop:
                self.schema_of(_message(loop[part][0]), inner)
        return None


def _loop_variables(loop: Message, over: Schema) -> dict[str, Schema]:
    first, second = _text(loop, 1), _text(loop, 8)
    items = (over or {}).get("items")
    values = (over or {}).get("additionalProperties")
    if second:
        value = items if isinstance(items, dict) else values
        return {first: None, second: value if isinstance(value, dict) else None}
    return {first: items if isinstance(items, dict) else None}


def _constant_text(node: Message) -> str:
    return _text(_message(node[_CONSTANT][0]), 6) if _CONSTANT in node else ""


def _text(message: Message, number: int) -> str:
    found = message.get(number)
    return found[0].decode() if found else ""


def _message(data: bytes) -> Message:
    """The fields of a protobuf message, by number."""
    found: Message = {}
    for number, value in _fields(data):
        found.setdefault(number, []).append(value)
    return found


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        kind = tag & 7
        value: Any
        if kind == 0:
            value, place = _varint(data, place)
        elif kind == 2:
            length, place = _varint(data, place)
            value, place = data[place : place + length], place + length
        else:
            length = 8 if kind == 1 else 4
            value, place = data[place : place + length], place + length
        yield tag >> 3, value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
