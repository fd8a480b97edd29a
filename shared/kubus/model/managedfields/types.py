"""What a merge has to know of a schema.

Four sorts of value are enough: a `Leaf` is owned and replaced as a whole (scalars, atomic lists and maps); `Fields` are
owned one by one (structs, maps); `Items` are lists whose items are told apart by keys or by their value; and where
there is no schema, `DEDUCED` looks at the value: objects are taken field by field, all else as leaves. Any schema
that can be said in these can be applied to.

Types may contain themselves, so they are built empty and filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubus.model.managedfields.fieldsets import Node, field_element, key_element, value_element


class ItemError(ValueError):
    """A list's item cannot be told from others."""


@dataclass(eq=False, slots=True, frozen=True)
class Leaf:
    """A value that is owned and replaced as a whole."""

    shape: str = ""
    """string, numeric, boolean, list or map: what a configuration has to hold; "": anything."""


class Entry(NamedTuple):
    """One field of `Fields`."""

    element: str
    type: Type


class Implied(NamedTuple):
    """A field that Kubernetes' own types always write, empty where nobody has set it."""

    name: str
    element: str
    type: Type
    empty: Any


@dataclass(eq=False, slots=True)
class Fields:
    """A struct, a map, or both."""

    entries: dict[str, Entry] = field(default_factory=dict)
    items: Type | None = None
    """What a field that is not declared holds; None: there are no such fields."""
    implied: list[Implied] = field(default_factory=list)
    shapes: dict[tuple[str, ...], Node] = field(default_factory=dict)
    """Nodes that have been made, by the names of the fields: of what is flat, all values have the same."""

    def declare(self, name: str, type_: Type) -> None:
        """Add a field."""
        self.entries[name] = Entry(field_element(name), type_)

    def entry(self, name: str) -> Entry:
        """The field of a name; one that is not declared and may not be is taken as a leaf."""
        return self.entries.get(name) or Entry(f"f:{name}", self.items or ANYTHING)


@dataclass(eq=False, slots=True)
class Items:
    """A list whose items are told apart by keys, or, without any, by their value."""

    item: Type
    keys: tuple[str, ...] = ()
    """Sorted."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What a missing key stands for."""

    def element(self, item: Any) -> str:
        """The element of an item.

        Raises:
            ItemError: in Kubernetes' words.
        """
        if not self.keys:
            return _value_of(item)
        if item is None:
            raise ItemError("associative list with keys may not have a null element")
        if type(item) is not dict:
            raise ItemError("associative list with keys may not have non-map elements")
        try:
            if len(self.keys) == 1 and (value := item.get(self.keys[0])) is not None:
                return key_element(self.keys, value)
            values = [item.get(key) for key in self.keys]
            return self._partial(item) if None in values else key_element(self.keys, *values)
        except TypeError:
            raise ItemError("associative list with keys has an element with a key that is no scalar") from None

    def _partial(self, item: Mapping[str, Any]) -> str:
        found = {key: item.get(key, self.defaults.get(key)) for key in self.keys}
        known = {key: value for key, value in found.items() if value is not None or key in item}
        if not known:
            shown = " ".join(f'"{key}"' for key in self.keys)
            raise ItemError(
                f"associative list with keys has an element that omits all key fields [{shown}] "
                "(and doesn't have default values for any key fields)"
            )
        return key_element(tuple(known), *known.values())


def _value_of(item: Any) -> str:
    if type(item) is dict:
        raise ItemError("associative list without keys has an element that's a map type")
    if type(item) is list:
        raise ItemError("not supported: associative list with lists as elements")
    if item is None:
        raise ItemError("associative list without keys has an element that's an explicit null")
    return value_element(item)


@dataclass(eq=False, slots=True, frozen=True)
class Deduced:
    """A value without a schema."""


Type = Leaf | Fields | Items | Deduced
ANYTHING = Leaf()
DEDUCED = Deduced()
DEDUCED_MAP = Fields(items=DEDUCED)


def resolved(type_: Type, *values: Any) -> Type:
    """The type itself, or what it comes to for these values where it is deduced."""
    if type_ is not DEDUCED:
        return type_
    return DEDUCED_MAP if any(type(value) is dict for value in values) else ANYTHING
