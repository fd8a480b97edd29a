"""CEL: semantic versions, `semver("1.2.3")`.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-semver-library, https://semver.org/#spec-item-11
"""

from __future__ import annotations

import re
from typing import Any

from kubus.model.cel import Function
from kubus.model.cel.values import TYPES, accepts, tagged, text_of

_SEMVER = TYPES["Semver"]
_NUMBER = r"(0|[1-9][0-9]*)"
_SHAPE = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


def semver(text: str) -> Any:
    """The version of a text.

    Raises:
        ValueError: it is none.
    """
    if len(text) > 256 or _SHAPE.fullmatch(text) is None:
        raise ValueError(f"{text[:64]!r} is no semantic version")
    return tagged("Semver", text)


def _normalized(text: str) -> str:
    plain = text.removeprefix("v")
    core, dash, rest = plain.partition("-")
    numbers = [part.lstrip("0") or "0" if part.isdigit() else part for part in core.split(".")]
    return ".".join([*numbers, "0", "0"][: max(3, len(numbers))]) + dash + rest


def _semver(text: str, normalize: bool) -> Any:
    return semver(_normalized(text) if normalize else text)


def order_of(text: str) -> tuple[Any, ...]:
    """A sort key: a pre-release before its release, numbers before words."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:64]!r} is no semantic version")
    numbers = tuple(int(found[place]) for place in (1, 2, 3))
    if found[4] is None:
        return (*numbers, 1, ())
    return (*numbers, 0, tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split(".")))


def _compared(left: Any, right: Any) -> int:
    first, second = order_of(text_of(left)), order_of(text_of(right))
    return (first > second) - (first < second)


def _part(place: int) -> Any:
    return lambda value: order_of(text_of(value))[place]


FUNCTIONS = (
    Function("semver", ("string",), _SEMVER, semver, member=False),
    Function("semver", ("string", "bool"), _SEMVER, _semver, member=False),
    Function("isSemver", ("string",), "bool", accepts(semver), member=False),
    Function(
        "isSemver",
        ("string", "bool"),
        "bool",
        lambda text, normalize: accepts(lambda each: _semver(each, normalize))(text),
        member=False,
    ),
    Function("major", (_SEMVER,), "int", _part(0)),
    Function("minor", (_SEMVER,), "int", _part(1)),
    Function("patch", (_SEMVER,), "int", _part(2)),
    Function("isGreaterThan", (_SEMVER, _SEMVER), "bool", lambda left, right: _compared(left, right) > 0),
    Function("isLessThan", (_SEMVER, _SEMVER), "bool", lambda left, right: _compared(left, right) < 0),
    Function("compareTo", (_SEMVER, _SEMVER), "int", _compared),
)
