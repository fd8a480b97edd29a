"""Sets of fields, kept as FieldsV1: `{"f:spec": {"f:replicas": {}, "f:template": {".": {}, …}}}`.

A node is a dict from path elements to nodes. An element is a field `f:name`, an item of a list by its keys
`k:{"name":"web"}` or by its value `v:"x"`, or an index `i:0`. An element is a member of the set if its node is empty or
holds `.`; otherwise it only leads to members. That is how Kubernetes writes such sets, so nothing is converted when an
entry is read or written. The empty set is `{}`; below the root no empty node exists but that of a member.

Nodes are shared between sets and objects: no function here edits what it is given, and nobody else may.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from kubus.model.codec import DecodeError, from_json, to_json

Node: TypeAlias = Mapping[str, Any]
LEAF: Node = {}
"""The node of a member without members below."""
SELF = "."
_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_ORDER = {"f": 0, "k": 1, "v": 2, "i": 3}


class FieldsError(ValueError):
    """These are no FieldsV1."""


def field_element(name: str) -> str:
    """The element of a field."""
    return f"f:{name}"


@lru_cache(maxsize=8192, typed=True)
def key_element(names: tuple[str, ...], *values: Any) -> str:
    """The element of an item that is known by the values of its keys; the names come sorted."""
    return "k:" + _json(dict(zip(names, values, strict=True)))


@lru_cache(maxsize=8192, typed=True)
def value_element(value: Any) -> str:
    """The element of an item of a set."""
    return "v:" + _json(value)


def _json(value: Any) -> str:
    return to_json(value).decode().translate(_HTML)  # as Go writes it, so that equal elements are equal texts


def is_member(node: Node) -> bool:
    """Whether the element of this node is in the set."""
    return not node or SELF in node


def with_member(below: Node | None) -> Node:
    """The node of a member, given what is below."""
    return {SELF: LEAF, **below} if below else LEAF


def without_member(node: Node) -> Node:
    """What is below the element of a node."""
    return {key: child for key, child in node.items() if key != SELF} if SELF in node else node


def union(one: Node, other: Node) -> Node:
    """What is in either set."""
    if not one or not other:
        return one or other
    result = dict(one)
    for element, node in other.items():
        found = result.get(element)
        result[element] = node if found is None else _joined(found, node)
    return result


def _joined(one: Node, other: Node) -> Node:
    if one is other:
        return one
    joined = union(without_member(one), without_member(other))
    return with_member(joined) if is_member(one) or is_member(other) else joined


def difference(one: Node, other: Node) -> Node:
    """What is in one set and not in the other; each field stands for itself, not for those below it."""
    if not one or not other:
        return one
    result: dict[str, Any] = {}
    for element, node in one.items():
        taken = other.get(element)
        if taken is None:
            result[element] = node
            continue
        below = difference(without_member(node), without_member(taken))
        if is_member(node) and not is_member(taken):
            result[element] = with_member(below)
        elif below:
            result[element] = below
    return result


def recursive_difference(one: Node, other: Node) -> Node:
    """What is in one set and neither in the other nor below a member of it."""
    if not one or not other:
        return one
    result: dict[str, Any] = {}
    for element, node in one.items():
        taken = other.get(element)
        if taken is None:
            result[element] = node
        elif not is_member(taken):
            below = recursive_difference(without_member(node), taken)
            if is_member(node):
                result[element] = with_member(below)
            elif below:
                result[element] = below
    return result


def intersection(one: Node, other: Node) -> Node:
    """What is in both sets."""
    result: dict[str, Any] = {}
    for element, node in one.items():
        found = other.get(element)
        if found is None or element == SELF:
            continue
        below = intersection(without_member(node), without_member(found))
        if is_member(node) and is_member(found):
            result[element] = with_member(below)
        elif below:
            result[element] = below
    return result


def paths(fields: Node) -> Iterator[tuple[str, ...]]:
    """Every member, as its path of elements: at each level the members first, then what is below."""
    elements = sorted((element for element in fields if element != SELF), key=_rank)
    for element in elements:
        if is_member(fields[element]):
            yield (element,)
    for element in elements:
        for rest in paths(without_member(fields[element])):
            yield (element, *rest)


def from_paths(members: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> Node:
    """The set of some paths."""
    result: Node = {}
    for path in members:
        node: Node = LEAF
        for element in reversed(path):
            node = {element: node}
        result = union(result, node)
    return result


def has(fields: Node, path: tuple[str, ...]) -> bool:
    """Whether a path is in the set."""
    node = fields
    for element in path:
        found = node.get(element)
        if found is None:
            return False
        node = found
    return is_member(node)


def _rank(element: str) -> tuple[int, str]:
    return _ORDER.get(element[0], 4), element


def path_text(path: tuple[str, ...]) -> str:
    """A path as Kubernetes shows it: `.spec.containers[name="web"].image`."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "i":
        return f"[{rest}]"
    value = from_json(rest)
    if kind == "v":
        return f"[={to_json(value).decode()}]"
    return f"[{','.join(f'{name}={to_json(value[name]).decode()}' for name in sorted(value))}]"


def read_fields(value: Any) -> Node:
    """FieldsV1 that a client has sent, its elements written as we write them.

    Raises:
        FieldsError: these are none.
    """
    if not isinstance(value, dict):
        raise FieldsError("fieldsV1 must be an object")
    result: dict[str, Any] = {}
    for element, node in value.items():
        if element == SELF:
            if node != {}:
                raise FieldsError(f"unexpected value of {SELF!r}")
            result[SELF] = LEAF
        else:
            result[_read_element(element)] = read_fields(node)
    return result


def _read_element(text: str) -> str:
    kind, separator, rest = text.partition(":")
    if not separator or kind not in _ORDER:
        raise FieldsError(f"unknown path element {text[:64]!r}")
    if kind == "f":
        return text
    try:
        value = from_json(rest)
    except DecodeError as error:
        raise FieldsError(f"path element {text[:64]!r}: {error}") from None
    if kind == "i":
        if type(value) is not int:
            raise FieldsError(f"path element {text[:64]!r}: no number")
        return f"i:{value}"
    if kind == "k":
        if not isinstance(value, dict):
            raise FieldsError(f"path element {text[:64]!r}: no keys")
        return "k:" + _json({name: value[name] for name in sorted(value)})
    return "v:" + _json(value)
