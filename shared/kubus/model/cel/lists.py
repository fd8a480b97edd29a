"""CEL: lists, `[1, 2].sum()`, `isSorted`, `min`, `max`.

`indexOf` and `lastIndexOf` of lists are missing: the library lets nobody add to a function that it has for strings.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from kubus.model.cel import Function


def _sum(values: list[Any]) -> Any:
    if any(isinstance(each, bool) or not isinstance(each, int | float | timedelta) for each in values):
        raise ValueError("no such overload: sum takes numbers or durations")
    return sum(values[1:], values[0]) if values else 0


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
            return choose(values)
        except TypeError:
            raise ValueError("no such overload: the values cannot be compared") from None

    return chosen


FUNCTIONS = (
    Function("sum", ("list",), "dyn", _sum),
    Function("isSorted", ("list",), "bool", _is_sorted),
    Function("min", ("list",), "dyn", _extreme("min", min)),
    Function("max", ("list",), "dyn", _extreme("max", max)),
)
