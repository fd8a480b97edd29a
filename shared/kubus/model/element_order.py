"""The order of merged lists: what the client named in the client's order, the rest where the server had it.

Follows `normalizeElementOrder` of apimachinery's pkg/util/strategicpatch. Items are told apart by `identity`, of the
item's merge key or, in a list of scalars, of the item itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubus.model.codec import to_json


def identity(value: Any) -> object:
    """A hashable stand-in for a JSON value: equal where the JSON is."""
    return value if type(value) is str else to_json(value)


def _identity_of(item: Any, merge_key: str) -> object:
    return identity(item.get(merge_key) if merge_key else item)


def places(items: Iterable[Any], merge_key: str) -> dict[object, int]:
    """Where each identity stands first."""
    found: dict[object, int] = {}
    for place, item in enumerate(items):
        found.setdefault(_identity_of(item, merge_key), place)
    return found


def unique(scalars: list[Any]) -> list[Any]:
    """The scalars, each at its first place only."""
    found: dict[object, Any] = {}
    for each in scalars:
        found.setdefault(identity(each), each)
    return list(found.values())


def arranged(merged: list[Any], wanted: list[Any], served: list[Any], merge_key: str) -> list[Any]:
    """The merged items in the order of those that are wanted, the server's own put between them.

    A server's item goes before the first wanted item that stood behind it on the server.
    """
    wanted_places, served_places = places(wanted, merge_key), places(served, merge_key)
    named = [each for each in merged if _identity_of(each, merge_key) in wanted_places]
    unnamed = [each for each in merged if _identity_of(each, merge_key) not in wanted_places]
    named.sort(key=lambda each: wanted_places[_identity_of(each, merge_key)])
    unnamed.sort(key=lambda each: served_places.get(_identity_of(each, merge_key), -1))
    result: list[Any] = []
    left = 0
    for item in named:
        place = served_places.get(_identity_of(item, merge_key), -1)
        while left < len(unnamed) and 0 <= served_places.get(_identity_of(unnamed[left], merge_key), -1) < place:
            result.append(unnamed[left])
            left += 1
        result.append(item)
    return result + unnamed[left:]


def go_text(value: Any) -> str:
    """A JSON value as Go prints it: `map[name:web ports:[80 81]]`."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
