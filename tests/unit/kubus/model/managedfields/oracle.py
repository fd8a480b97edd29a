"""A second implementation, slow and obvious: objects as flat dicts of paths, sets of fields as sets of paths.

And worlds to try both in: random types, objects of them, configurations.
"""

from __future__ import annotations

from random import Random
from typing import Any

from kubus.model.managedfields.fieldsets import Node, from_paths, paths
from kubus.model.managedfields.types import Fields, Items, Leaf, Type

Path = tuple[str, ...]
CONTAINER = ("a container",)


def flat(type_: Type, value: Any, at: Path = ()) -> dict[Path, Any]:
    """Every field and item of an object by its path: leaves with their value."""
    if isinstance(type_, Fields):
        found: dict[Path, Any] = {at: CONTAINER} if at else {}
        for name, each in value.items():
            found |= flat(type_.entry(name).type, each, (*at, f"f:{name}"))
        return found
    if isinstance(type_, Items):
        found = {at: CONTAINER}
        for item in value:
            found |= flat(type_.item, item, (*at, type_.element(item)))
        return found
    return {at: value}


def differences(type_: Type, old: Any, new: Any) -> tuple[set[Path], set[Path], set[Path]]:
    """(removed, modified, added)."""
    before, after = flat(type_, old), flat(type_, new)
    changed = {path for path in before.keys() & after.keys() if before[path] != after[path]}
    return before.keys() - after.keys(), changed, after.keys() - before.keys()


def owned(type_: Type, config: Any) -> set[Path]:
    """What a configuration owns: leaves, items of lists, entries of maps, empty maps."""
    found = flat(type_, config)
    return {path for path, value in found.items() if value is not CONTAINER or _is_item(type_, path, found)}


def _is_item(type_: Type, path: Path, found: dict[Path, Any]) -> bool:
    actual: Type = type_
    declared = True
    for element in path:
        if isinstance(actual, Fields):
            declared = element[2:] in actual.entries
            actual = actual.entry(element[2:]).type
        elif isinstance(actual, Items):
            declared, actual = False, actual.item
    empty = isinstance(actual, Fields) and not any(other[: len(path)] == path and other != path for other in found)
    return not declared or empty


def merged(type_: Type, live: Any, config: Any) -> dict[Path, Any]:
    """The flat object that an apply without history makes."""
    return flat(type_, live) | flat(type_, config)


def as_set(fields: Node) -> set[Path]:
    return set(paths(fields))


def as_fields(members: set[Path]) -> Node:
    return from_paths(sorted(members))


def random_fields(random: Random) -> set[Path]:
    """Some paths."""
    elements = ["f:a", "f:b", 'k:{"k":"x"}', 'v:"y"']
    return {tuple(random.choice(elements) for _ in range(random.randint(1, 3))) for _ in range(random.randint(0, 6))}


def random_type(random: Random, depth: int = 3) -> Fields:
    """A struct or a map."""
    fields = Fields()
    if random.random() < 0.3:
        fields.items = _random_type(random, depth - 1)
        return fields
    for name in "abc":
        fields.declare(name, _random_type(random, depth - 1))
    return fields


def _random_type(random: Random, depth: int) -> Type:
    sort = random.choice(["leaf", "fields", "items", "set", "atomic"] if depth > 0 else ["leaf"])
    if sort == "fields":
        return random_type(random, depth)
    if sort == "set":
        return Items(Leaf("string"))
    if sort == "items":
        item = Fields()
        item.declare("k", Leaf("string"))
        for name in "ab":
            item.declare(name, _random_type(random, depth - 1))
        return Items(item, ("k",))
    return Leaf("list" if sort == "atomic" else "numeric")


def random_value(random: Random, type_: Type) -> Any:
    """A value that fits a type; few different ones, so that managers meet."""
    if isinstance(type_, Fields):
        names = list(type_.entries) or ["x", "y", "z"]
        return {
            name: random_value(random, type_.entry(name).type) for name in names if name == "k" or random.random() < 0.6
        }
    if isinstance(type_, Items):
        # Never empty: an empty list with keys is nobody's, and written by no one who has normalized it.
        chosen = random.sample(["p", "q", "r"], random.randint(1, 3))
        if not type_.keys:
            return chosen
        return [{**random_value(random, type_.item), "k": key} for key in chosen]
    if isinstance(type_, Leaf) and type_.shape == "list":
        return [random.randint(0, 1) for _ in range(random.randint(0, 2))]
    return random.randint(0, 1)
