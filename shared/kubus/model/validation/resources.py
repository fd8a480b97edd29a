"""Requests and limits."""

from __future__ import annotations

from collections.abc import Sequence

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, required
from kubus.model.names import label_key_errors
from kubus.model.objects import Object
from kubus.model.quantities import canonical, parse_quantity
from kubus.model.validation.values import NOT_NEGATIVE

STANDARD = ("cpu", "memory", "ephemeral-storage")
QUOTA_NAMES = frozenset(
    (
        "pods",
        "services",
        "resourcequotas",
        "secrets",
        "configmaps",
        "replicationcontrollers",
        "persistentvolumeclaims",
        "storage",
        "requests.cpu",
        "requests.memory",
        "requests.ephemeral-storage",
        "requests.storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "services.loadbalancers",
        "services.nodeports",
    )
)
"""Names that mean something elsewhere, though not to a container."""


def resources_errors(resources: Object, path: str, claims: Sequence[str] = ()) -> list[FieldError]:
    """What is wrong with a container's requests and limits; a request may not be over its limit.

    `claims` are the names of the pod's resource claims.
    """
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
            errors.append(required(f"{path}.limits", "Limit must be set for non overcommitable resources"))
    names = limits.keys() | requests.keys()
    if any(name.startswith("hugepages-") for name in names) and not {"cpu", "memory"} & names:
        errors.append(forbidden_field(path, "HugePages require cpu or memory"))
    return errors + _claims_errors(resources.get("claims") or [], claims, f"{path}.claims")


def _claims_errors(wanted: list[Object], claims: Sequence[str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, each in enumerate(wanted):
        at, name = f"{path}[{index}]", each.get("name") or ""
        if not name:
            errors.append(required(at))
            continue
        key = f"{name}/{each['request']}" if each.get("request") else name
        if key in seen or name in seen:
            errors.append(duplicate(at, name if name in seen else key))
        seen.add(key)
        if name not in claims:
            known = f": {', '.join(sorted(claims))}" if claims else " which is empty"
            detail = f"must be one of the names in pod.spec.resourceClaims{known}"
            errors.append(FieldError("FieldValueNotFound", at, f'Not found: "{name}": {detail}'))
    return errors


def is_extended(name: str) -> bool:
    """Whether a resource is one that a node advertises (`example.com/gpu`), which cannot be overcommitted."""
    return name.startswith("hugepages-") or ("/" in name and not name.startswith("kubernetes.io/"))


def _list_errors(amounts: dict[str, str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, amount in amounts.items():
        errors += _name_errors(name, f"{path}[{name}]")
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
    if "/" in name:
        return []
    errors = [] if name in QUOTA_NAMES else [invalid(path, name, "must be a standard resource type or fully qualified")]
    return [*errors, invalid(path, name, "must be a standard resource for containers")]
