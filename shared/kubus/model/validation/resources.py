"""Requests and limits."""

from __future__ import annotations

from kubus.model.errors import FieldError, invalid
from kubus.model.names import label_key_errors
from kubus.model.objects import Object
from kubus.model.quantities import canonical, parse_quantity
from kubus.model.validation.values import NOT_NEGATIVE

STANDARD = ("cpu", "memory", "ephemeral-storage")


def resources_errors(resources: Object, path: str) -> list[FieldError]:
    """What is wrong with a container's requests and limits; a request may not be over its limit."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    errors = _list_errors(limits, f"{path}.limits") + _list_errors(requests, f"{path}.requests")
    for name, request in requests.items():
        limit = limits.get(name)
        if limit is not None:
            if is_extended(name) and parse_quantity(request) != parse_quantity(limit):
                detail = f"must be equal to {name} limit of {canonical(limit)}"
                errors.append(invalid(f"{path}.requests", canonical(request), detail))
            elif parse_quantity(request) > parse_quantity(limit):
                detail = f"must be less than or equal to {name} limit of {canonical(limit)}"
                errors.append(invalid(f"{path}.requests", canonical(request), detail))
        elif is_extended(name):
            errors.append(invalid(f"{path}.requests", name, "Limit must be set for non overcommitable resources"))
    return errors


def is_extended(name: str) -> bool:
    """Whether a resource is one that a node advertises (`example.com/gpu`), which cannot be overcommitted."""
    return name.startswith("hugepages-") or ("/" in name and not name.startswith("kubernetes.io/"))


def _list_errors(amounts: dict[str, str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, amount in amounts.items():
        errors += _name_errors(name, path)
        value = parse_quantity(amount)
        if value < 0:
            errors.append(invalid(f"{path}[{name}]", canonical(amount), NOT_NEGATIVE))
        elif is_extended(name) and value.denominator != 1:
            errors.append(invalid(f"{path}[{name}]", canonical(amount), "must be an integer"))
    return errors


def _name_errors(name: str, path: str) -> list[FieldError]:
    if name in STANDARD or name.startswith("hugepages-"):
        return []
    if found := label_key_errors(name):
        return [invalid(path, name, each) for each in found]
    if "/" not in name:
        return [invalid(path, name, "must be a standard resource for containers")]
    return []
