"""CEL: lists, `[1, 2].sum()`, `isSorted`, `min`, `max`, `indexOf`.

`indexOf` and `lastIndexOf` of lists and of texts are here, under names that `dialect` gives them: the library lets
nobody add to a function that it has for texts.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from kubus.model.cel import Function
from kubus.model.cel.values import nested

_KINDS = ("bool", "bytes", "double", "duration", "int", "list", "map", "null", "string", "timestamp", "uint")
"""The library calls no function of ours with `dyn`."""

_INT_LIMIT = 2**63


def _sum(values: list[Any]) -> Any:
    if any(isinstance(each, bool) or not isinstance(each, int | float | timedelta) for each in values):
        raise ValueError("no such overload: sum takes numbers or durations")
    total = sum(values[1:], values[0]) if values else 0
    if isinstance(total, int) and not -_INT_LIMIT <= total < _INT_LIMIT:
        raise ValueError("integer overflow")
    return nested(total)


def _is_sorted(values: list[Any]) -> bool:
    try:
        return all(left <= right for left, right in pairwise(values))
    except TypeError:
        raise ValueError("no such overload: the values cannot be compared") from None


def _extreme(name: str, choose: Any) -> Any:
    def chosen(values: list[Any]) -> Any:
        if not values:
            raise ValueError(f"{name} called on empty list")
        try:
            return nested(choose(values))
        except TypeError:
            raise ValueError("no such overload: the values cannot be compared") from None

    return chosen


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _index(values: list[Any], wanted: Any) -> int:
    return next((place for place, each in enumerate(values) if _same(each, wanted)), -1)


def _last_index(values: list[Any], wanted: Any) -> int:
    return next((place for place in reversed(range(len(values))) if _same(values[place], wanted)), -1)


def _text_index(text: str, wanted: str, start: int = 0) -> int:
    if not 0 <= start <= len(text):
        raise ValueError(f"index out of range: {start}")
    return text.find(wanted, start)


def _text_last_index(text: str, wanted: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(wanted)
    if not 0 <= start <= len(text):
        raise ValueError(f"index out of range: {start}")
    return text.rfind(wanted, 0, start + len(wanted))


FUNCTIONS = (
    Function("sum", ("list",), "dyn", _sum),
    Function("isSorted", ("list",), "bool", _is_sorted),
    Function("min", ("list",), "dyn", _extreme("min", min)),
    Function("max", ("list",), "dyn", _extreme("max", max)),
    *(Function("indexof", ("list", kind), "int", _index) for kind in _KINDS),
    Function("indexof", ("string", "string"), "int", _text_index),
    Function("indexof", ("string", "string", "int"), "int", _text_index),
    *(Function("lastindexof", ("list", kind), "int", _last_index) for kind in _KINDS),
    Function("lastindexof", ("string", "string"), "int", _text_last_index),
    Function("lastindexof", ("string", "string", "int"), "int", _text_last_index),
)
