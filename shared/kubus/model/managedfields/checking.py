"""Whether a configuration fits its type: what an apply refuses before it merges, in Kubernetes' words."""

from __future__ import annotations

from typing import Any

from kubus.model.managedfields.fieldsets import path_text
from kubus.model.managedfields.types import Fields, ItemError, Items, Leaf, Type, resolved

_EXPECTED = {"numeric": "numeric (int or float)", "string": "string", "boolean": "boolean"}


def config_errors(type_: Type, config: Any) -> list[str]:
    """What is wrong, each with its path: `.spec.foo: field not declared in schema`."""
    errors: list[str] = []
    _check(type_, config, (), errors)
    return errors


def _check(type_: Type, value: Any, path: tuple[str, ...], errors: list[str]) -> None:
    actual = resolved(type_, value)
    if value is None:
        return
    if isinstance(actual, Leaf):
        if problem := _leaf_problem(actual.shape, value):
            errors.append(_said(path, problem))
    elif isinstance(actual, Fields):
        _check_fields(actual, value, path, errors)
    elif isinstance(actual, Items):
        _check_items(actual, value, path, errors)


def _check_fields(type_: Fields, value: Any, path: tuple[str, ...], errors: list[str]) -> None:
    if type(value) is not dict:
        errors.append(_said(path, f"expected map, got {_shown(value)}"))
        return
    for name, each in value.items():
        element, inner = type_.entry(name)
        if name not in type_.entries and type_.items is None:
            errors.append(_said((*path, element), "field not declared in schema"))
        else:
            _check(inner, each, (*path, element), errors)


def _check_items(type_: Items, value: Any, path: tuple[str, ...], errors: list[str]) -> None:
    if type(value) is not list:
        errors.append(_said(path, f"expected list, got {_shown(value)}"))
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        try:
            element = type_.element(item)
        except ItemError as error:
            errors.append(_said(path, f"element {index}: {error}"))
            return
        if element in seen:
            errors.append(_said(path, f"duplicate entries for key {path_text((element,))}"))
        seen.add(element)
        _check(type_.item, item, (*path, element), errors)


def _leaf_problem(shape: str, value: Any) -> str:
    kind = type(value)
    if shape in ("list", "map"):
        return "" if kind is (list if shape == "list" else dict) else f"expected {shape}, got {_shown(value)}"
    fits = {"": True, "numeric": kind in (int, float), "string": kind is str, "boolean": kind is bool}[shape]
    return "" if fits else f"expected {_EXPECTED[shape]}, got {_shown(value)}"


def _shown(value: Any) -> str:
    from kubus.model.element_order import go_text

    return f"&value.valueUnstructured{{Value:{go_text(value)}}}"


def _said(path: tuple[str, ...], problem: str) -> str:
    return f"{path_text(path)}: {problem}" if path else problem
