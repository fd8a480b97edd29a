"""Printer columns: `additionalPrinterColumns` of a definition as columns of `kubectl get`.

A column names a value by a JSONPath. What is understood of that language: fields (`.spec.size`, `['a.b']`), places
(`[0]`, `[-1]`), everything (`[*]`, `.*`) and filters by comparison (`[?(@.type=="Ready")]`). The first value found is
shown.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from kubus.model.cells import AGE, NAME, since
from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.kinds import Cell, Column
from kubus.model.objects import Object

Step = Callable[[Any], list[Any]]
_TOKEN = re.compile(
    r"""\.?\[\s*(?P<quoted>'[^']*'|"[^"]*")\s*\]
      | \.?\[\s*(?P<place>-?\d+)\s*\]
      | \.?(?P<every>\[\s*\*\s*\]|(?<=\.)\*)
      | \.?\[\?\(\s*@(?P<inner>[^=<>!)]*?)\s*(?:(?P<operator>==|!=|<=|>=|<|>)\s*(?P<value>[^)]*?)\s*)?\)\s*\]
      | \.(?P<field>(?:[^.\[\]\\]|\\.)+)""",
    re.VERBOSE,
)
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda one, other: bool(one == other),
    "!=": lambda one, other: bool(one != other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
}


@lru_cache(maxsize=1024)
def path_steps(path: str) -> tuple[Step, ...]:
    """The steps of a JSONPath.

    Raises:
        ValueError: it is none that is understood here.
    """
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps: list[Step] = []
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.end() == place:
            raise ValueError(f"unrecognized path at {text[place : place + 20]!r}")
        steps.append(_step(found))
        place = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["quoted"] is not None:
        return _field(found["quoted"][1:-1])
    if found["place"] is not None:
        return _item(int(found["place"]))
    if found["every"] is not None:
        return _every
    if found["inner"] is not None:
        return _filter(path_steps(found["inner"]), found["operator"], found["value"])
    return _field(re.sub(r"\\(.)", r"\1", found["field"]))


def _field(name: str) -> Step:
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _item(place: int) -> Step:
    return lambda value: [value[place]] if isinstance(value, list) and -len(value) <= place < len(value) else []


def _every(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _filter(inner: tuple[Step, ...], operator: str | None, literal: str | None) -> Step:
    wanted = _literal(literal or "")

    def holds(each: Any) -> bool:
        found = _walk(inner, each)
        if operator is None:
            return bool(found)
        try:
            return bool(found) and _COMPARED[operator](found[0], wanted)
        except TypeError:
            return False

    return lambda value: [each for each in _every(value) if holds(each)]


def _literal(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    try:
        return from_json(text.encode()) if text else None
    except DecodeError:
        return text


def _walk(steps: Iterable[Step], value: Any) -> list[Any]:
    found = [value]
    for step in steps:
        found = [below for each in found for below in step(each)]
    return found


def value_at(path: str, obj: Any) -> Any:
    """The first value at a path; None if there is none."""
    found = _walk(path_steps(path), obj)
    return found[0] if found else None


def columns(definitions: Iterable[Object]) -> tuple[Column, ...]:
    """Name and what a version declares; without any, Name and Age."""
    declared = tuple(_column(each) for each in definitions)
    return (NAME, *declared) if declared else (NAME, AGE)


def _column(definition: Object) -> Column:
    type_ = definition.get("type") or "string"
    return Column(
        definition.get("name") or "",
        _cell(definition.get("jsonPath") or "", type_),
        type_,
        priority=int(definition.get("priority") or 0),
        format=definition.get("format") or "",
        description=definition.get("description")
        or f"Custom resource definition column (in JSONPath format): {definition.get('jsonPath')}",
    )


def _cell(path: str, type_: str) -> Cell:
    def cell(obj: Object, now: datetime) -> Any:
        try:
            value = value_at(path, obj)
        except ValueError:
            return None
        return None if value is None else _shown(value, type_, now)

    return cell


def _shown(value: Any, type_: str, now: datetime) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if type_ == "integer":
        return int(value) if is_number else None
    if type_ == "number":
        return float(value) if is_number else None
    if type_ == "boolean":
        return value if isinstance(value, bool) else None
    if type_ == "date":
        return since(value, now) if isinstance(value, str) else None
    return value if isinstance(value, str) else to_json(value).decode()
