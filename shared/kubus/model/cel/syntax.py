"""The syntax tree of a compiled expression, out of the protobuf that the library gives.

Of `cel.expr.CheckedExpr` six kinds of nodes are read. Macros are expanded in it: `all`, `exists`, `map` are loops.

https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Message = dict[int, list[Any]]
_CONSTANT, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _LOOP = 3, 4, 5, 6, 7, 8, 9


class Constant(NamedTuple):
    """A literal; the text of one that is a text."""

    text: str | None


class Name(NamedTuple):
    """A variable."""

    name: str


class Field(NamedTuple):
    """`operand.name`, or `has(operand.name)`."""

    operand: Node
    name: str
    test: bool


class Call(NamedTuple):
    """A function or an operator; the target, if any, is the first argument."""

    function: str
    arguments: tuple[Node, ...]


class Made(NamedTuple):
    """A list or a map that is written out."""

    is_list: bool
    parts: tuple[Node, ...]


class Loop(NamedTuple):
    """What a macro comes to: `range` is gone through, and each step makes a new `result` variable."""

    range: Node
    first: str
    second: str
    """Of a macro of two variables, else ""."""
    accumulator: str
    start: Node
    condition: Node
    step: Node
    result: Node


Node = Constant | Name | Field | Call | Made | Loop


def tree(checked: bytes) -> Node:
    """The tree of an expression, of `Program.checked`."""
    wrapped = _message(checked)
    return _node(_message(_message(wrapped[2][0])[4][0]))


def _node(node: Message) -> Node:
    if _IDENT in node:
        return Name(_text(_message(node[_IDENT][0]), 1))
    if _SELECT in node:
        select = _message(node[_SELECT][0])
        return Field(_part(select, 1), _text(select, 2), bool(select.get(3)))
    if _CALL in node:
        call = _message(node[_CALL][0])
        target = [_part(call, 1)] if 1 in call else []
        return Call(_text(call, 2), (*target, *(_node(_message(each)) for each in call.get(3, ()))))
    if _LIST in node:
        return Made(True, tuple(_node(_message(each)) for each in _message(node[_LIST][0]).get(1, ())))
    if _STRUCT in node:
        entries = [_message(each) for each in _message(node[_STRUCT][0]).get(2, ())]
        return Made(False, tuple(_part(each, number) for each in entries for number in (3, 4) if number in each))
    if _LOOP in node:
        return _loop(_message(node[_LOOP][0]))
    constant = _message(node[_CONSTANT][0]) if _CONSTANT in node else {}
    return Constant(_text(constant, 6) if 6 in constant else None)


def _loop(loop: Message) -> Loop:
    return Loop(
        range=_part(loop, 2),
        first=_text(loop, 1),
        second=_text(loop, 8),
        accumulator=_text(loop, 3),
        start=_part(loop, 4),
        condition=_part(loop, 5),
        step=_part(loop, 6),
        result=_part(loop, 7),
    )


def _part(message: Message, number: int) -> Node:
    return _node(_message(message[number][0])) if number in message else Constant(None)


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
