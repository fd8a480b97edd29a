"""What differs between two objects of one type.

Updates change little, so equal parts are left out by one comparison of dicts before anything is walked. What stands
on one side only is counted as a whole: itself and everything below.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kubus.model.managedfields.fieldsets import LEAF, SELF, Node, union
from kubus.model.managedfields.types import DEDUCED, Fields, Items, Leaf, Type, resolved

_MISSING: Any = object()
_SHAPES_MAX = 256
"""How many sets of names a struct's nodes are kept for."""


class Comparison(NamedTuple):
    """The fields in which a new object differs from an old one; no field is in two of the sets."""

    removed: Node
    modified: Node
    added: Node

    @property
    def written(self) -> Node:
        """What the new object has otherwise than the old one."""
        return union(self.modified, self.added)


def compare(type_: Type, old: Any, new: Any, skipped: Node = LEAF) -> Comparison:
    """What differs; a creation is compared to {}. Leaves of `skipped` are passed over, with all below.

    Raises:
        ItemError: an item of a list cannot be told from others.
    """
    found = _Found()
    _compare(type_, old, new, found, skipped)
    return Comparison(found.removed or {}, found.modified or {}, found.added or {})


def created(type_: Type, value: Any, skipped: Node = LEAF) -> Node:
    """What a creation writes: `compare(type_, {}, value, skipped).written`, without looking for what was there.

    Raises:
        ItemError: an item of a list cannot be told from others.
    """
    if type(type_) is not Fields or type(value) is not dict:
        return compare(type_, {}, value, skipped).written
    result: dict[str, Any] = {}
    declared = type_.entries.get
    for name, each in value.items():
        element, inner = declared(name) or type_.entry(name)
        skip, before = skipped.get(element), _implied(type_, name)
        if skip is None and before is _MISSING:
            result[element] = LEAF if type(inner) is Leaf else whole(inner, each)
        elif skip == LEAF:
            continue
        elif type(inner) is Fields and type(each) is dict:
            if below := created(inner, each, skip or LEAF):
                result[element] = below
        else:
            found = _Found()
            _compare(inner, {} if before is _MISSING else before, each, found, skip or LEAF)
            if found.modified is not None or found.added is not None:
                result[element] = union(found.modified or LEAF, found.added or LEAF)
    return result


class _Found:
    """The three nodes of one element; None: nothing."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.removed: Node | None = None
        self.modified: Node | None = None
        self.added: Node | None = None

    def put(self, element: str, below: _Found) -> None:
        if below.removed is not None:
            self.removed = _with(self.removed, element, below.removed)
        if below.modified is not None:
            self.modified = _with(self.modified, element, below.modified)
        if below.added is not None:
            self.added = _with(self.added, element, below.added)

    def put_removed(self, element: str, node: Node) -> None:
        self.removed = _with(self.removed, element, node)

    def put_added(self, element: str, node: Node) -> None:
        self.added = _with(self.added, element, node)


def _with(node: Node | None, element: str, child: Node) -> dict[str, Any]:
    if type(node) is not dict or not node:
        return {element: child}
    node[element] = child  # ours: made by the line above
    return node


def _compare(type_: Type, old: Any, new: Any, found: _Found, skipped: Node = LEAF) -> None:
    if old == new and type(old) is type(new):
        return
    actual = resolved(type_, old, new)
    if isinstance(actual, Fields) and _only(dict, old, new):
        _compare_fields(actual, old or {}, new or {}, found, skipped)
    elif isinstance(actual, Items) and _only(list, old, new):
        _compare_items(actual, old or [], new or [], found)
    else:
        _compare_leaves(actual, old, new, found)


def _only(wanted: type, old: Any, new: Any) -> bool:
    """Whether both are of a type or null, and one of them holds something: nothing but empty is a leaf."""
    return type(old) in (wanted, type(None)) and type(new) in (wanted, type(None)) and bool(old or new)


def _compare_leaves(type_: Type, old: Any, new: Any, found: _Found) -> None:
    if old == new and (type(old) is bool) == (type(new) is bool):
        return
    found.modified = LEAF
    if not isinstance(type_, Fields):
        return
    if type(old) is dict and old:
        found.removed = _below(type_, old)
    elif type(new) is dict and new:
        found.added = _below(type_, new)


def _compare_fields(
    type_: Fields, old: dict[str, Any], new: dict[str, Any], found: _Found, skipped: Node = LEAF
) -> None:
    entries = type_.entries
    for name, value in new.items():
        before = old[name] if name in old else _implied(type_, name)
        if before is value or (before == value and type(before) is type(value)):
            continue
        element, inner = entries.get(name) or type_.entry(name)
        skip = skipped.get(element)
        if skip == LEAF:
            continue
        if skip and before is _MISSING:
            before = {}
        if before is _MISSING:
            found.put_added(element, whole(inner, value))
        else:
            below = _Found()
            _compare(inner, before, value, below, skip or LEAF)
            found.put(element, below)
    for name, value in old.items():
        if name in new:
            continue
        after = _implied(type_, name)
        element, inner = entries.get(name) or type_.entry(name)
        skip = skipped.get(element)
        if skip == LEAF:
            continue
        if skip and after is _MISSING:
            after = {}
        if after is _MISSING:
            found.put_removed(element, whole(inner, value))
        else:
            below = _Found()
            _compare(inner, value, after, below, skip or LEAF)
            found.put(element, below)


def _implied(type_: Fields, name: str) -> Any:
    for each in type_.implied:
        if each[0] == name:
            return each[3]
    return _MISSING


def _compare_items(type_: Items, old: list[Any], new: list[Any], found: _Found) -> None:
    before, after = _by_element(type_, old), _by_element(type_, new)
    for element, items in before.items():
        _compare_item(type_, element, items, after.get(element, []), found)
    for element, items in after.items():
        if element not in before:
            _compare_item(type_, element, [], items, found)


def _compare_item(type_: Items, element: str, old: list[Any], new: list[Any], found: _Found) -> None:
    """One item, or several that share an element: those count as one leaf."""
    below = _Found()
    if len(old) > 1 and len(new) > 1:
        below.modified = LEAF if old != new else None
    elif len(old) > 1:
        below.added = whole(type_.item, new[0]) if new else None
        below.removed = LEAF
    elif len(new) > 1:
        below.removed = whole(type_.item, old[0]) if old else None
        below.added = LEAF
    elif not old:
        below.added = whole(type_.item, new[0])
    elif not new:
        below.removed = whole(type_.item, old[0])
    else:
        _compare(type_.item, old[0], new[0], below)
    found.put(element, below)


def _by_element(type_: Items, items: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        found.setdefault(type_.element(item), []).append(item)
    return found


def whole(type_: Type, value: Any) -> Node:
    """The node of a value that is there on one side only: itself and everything below.

    Every creation comes this way, field by field, so leaves are told before anything is called.
    """
    if type_ is DEDUCED:
        type_ = resolved(type_, value)
    if type(type_) is Fields:
        if type(value) is dict and (value or type_.implied):
            return _whole_fields(type_, value)
    elif type(type_) is Items and type(value) is list and value:
        return _whole_items(type_, value)
    return LEAF


def _whole_fields(type_: Fields, value: dict[str, Any]) -> Node:
    """The node of a struct or map. Where all fields are leaves it follows from their names, and is made once."""
    shape = tuple(value)
    found = type_.shapes.get(shape)
    if found is not None:
        return found
    result: dict[str, Any] = {SELF: LEAF}
    flat = _put_below(type_, value, result)
    if flat and type_.entries and len(type_.shapes) < _SHAPES_MAX:
        type_.shapes[shape] = result
    return result


def _whole_items(type_: Items, value: list[Any]) -> Node:
    result: dict[str, Any] = {SELF: LEAF}
    inner, element_of = type_.item, type_.element
    plain = type(inner) is Leaf
    for item in value:
        element = element_of(item)
        result[element] = LEAF if plain or element in result else whole(inner, item)  # several of one: a leaf
    return result


def _below(type_: Fields, value: dict[str, Any]) -> Node:
    result: dict[str, Any] = {}
    _put_below(type_, value, result)
    return result


def _put_below(type_: Fields, value: dict[str, Any], result: dict[str, Any]) -> bool:
    """Put in the nodes of all fields; whether they are all leaves."""
    declared, flat = type_.entries.get, True
    for name, each in value.items():
        element, inner = declared(name) or type_.entry(name)
        if type(inner) is Leaf:
            result[element] = LEAF
        else:
            result[element] = whole(inner, each)
            flat = False
    for implied in type_.implied:
        if implied.name not in value:
            result[implied.element] = whole(implied.type, implied.empty)
    return flat
