"""Values of types that CEL does not have: quantities, addresses, URLs, versions.

The library knows no opaque types, so such a value is a map with one key that names its type, and the value in a
canonical form: equal values are equal maps. Functions that several types share (`isGreaterThan`) look at that key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_PREFIX = "kubernetes."


def tagged(type_: str, value: Any) -> dict[str, Any]:
    """A value of a type."""
    return {f"{_PREFIX}{type_}": value}


def untagged(value: Mapping[str, Any], *types: str) -> tuple[str, Any]:
    """The type and the value.

    Raises:
        ValueError: it is of none of these types.
    """
    for type_ in types:
        if f"{_PREFIX}{type_}" in value:
            return type_, value[f"{_PREFIX}{type_}"]
    raise ValueError(f"no such overload: the value is no {' or '.join(types)}")


def accepts(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    """Whether a text can be parsed: the `isX` of an `x`."""

    def is_one(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return is_one
