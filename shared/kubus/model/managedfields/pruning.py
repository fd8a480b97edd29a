"""What an object has as a set of fields, and what is left of it when fields go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubus.model.managedfields.fieldsets import LEAF, Node, is_member, union, with_member, without_member
from kubus.model.managedfields.types import DEDUCED, DEDUCED_MAP, Fields, Items, Type, resolved


def owned_fields(type_: Type, config: Any) -> Node:
    """The fields that a configuration owns: its leaves, the items of its lists and maps, what it leaves empty.

    Raises:
        ItemError: an item of a list cannot be told from others.
    """
    return _owned(type_, config) or {}


def _owned(type_: Type, value: Any) -> Node | None:
    """The node of a value; None if it owns nothing by itself."""
    actual = resolved(type_, value)
    if isinstance(actual, Fields):
        return _owned_fields(actual, value) if type(value) is dict else None
    if isinstance(actual, Items):
        result: Node = {}
        for item in value or ():
            below = with_member(_below_item(actual.item, item))
            result = union(result, {actual.element(item): below})
        return result or None
    return LEAF


def _below_item(type_: Type, item: Any) -> Node | None:
    node = _owned(type_, item)
    return without_member(node) if node else None


def _owned_fields(type_: Fields, value: Mapping[str, Any]) -> Node | None:
    result: dict[str, Any] = {}
    for name, each in value.items():
        declared = name in type_.entries
        element, inner = type_.entry(name)
        node = _owned(inner, each)
        if each is None or each == {} or not declared:
            node = with_member(without_member(node) if node else None)
        if node is not None:
            result[element] = node
    return result or None


def with_named_fields(type_: Type, fields: Node) -> Node:
    """The set, and with it every declared field on the way to a member."""
    result: dict[str, Any] = {}
    for element, node in fields.items():
        below = without_member(node)
        if not below or element == ".":
            result[element] = node
            continue
        inner, named = _inner(type_, element)
        below = with_named_fields(inner, below)
        result[element] = with_member(below) if named or is_member(node) else below
    return result


def _inner(type_: Type, element: str) -> tuple[Type, bool]:
    """The type at an element, and whether it is a declared field."""
    actual = DEDUCED_MAP if type_ is DEDUCED else type_
    if isinstance(actual, Fields) and element.startswith("f:"):
        name = element[2:]
        return actual.entry(name).type, name in actual.entries
    if isinstance(actual, Items):
        return actual.item, False
    return DEDUCED, False


def without_fields(type_: Type, value: Any, fields: Node) -> Any:
    """The value without some fields; a container that they leave empty stays, empty."""
    if not fields:
        return value
    actual = resolved(type_, value)
    if isinstance(actual, Fields) and type(value) is dict:
        return _without_fields(actual, value, fields)
    if isinstance(actual, Items) and type(value) is list:
        result: list[Any] = []
        for item in value:
            node = fields.get(actual.element(item))
            if node is None:
                result.append(item)
            elif not is_member(node):
                result.append(without_fields(actual.item, item, node))
        return result
    return value


def _without_fields(type_: Fields, value: Mapping[str, Any], fields: Node) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, each in value.items():
        element, inner = type_.entry(name)
        node = fields.get(element)
        if node is None:
            result[name] = each
        elif not is_member(node):
            result[name] = without_fields(inner, each, node)
    return result
