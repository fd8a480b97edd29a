"""Nodes: taints, and pod ranges that are given once."""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from kubus.model.names import cidr_errors, label_key_errors, label_value_errors
from kubus.model.objects import Object
from kubus.model.validation.placement import EFFECTS


def node_errors(node: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a node."""
    spec = node.get("spec") or {}
    errors = taints_errors(spec.get("taints") or [], "spec.taints")
    for index, cidr in enumerate(spec.get("podCIDRs") or ()):
        errors += [invalid(f"spec.podCIDRs[{index}]", cidr, each) for each in cidr_errors(cidr)]
    before = (old or {}).get("spec") or {}
    if before.get("podCIDRs") and spec.get("podCIDRs") != before["podCIDRs"]:
        errors.append(forbidden_field("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'))
    if before.get("providerID") and spec.get("providerID") != before["providerID"]:
        errors.append(
            forbidden_field("spec.providerID", 'node updates may not change providerID except from "" to valid')
        )
    return errors


def taints_errors(taints: list[Object], path: str) -> list[FieldError]:
    """What is wrong with taints; one key may have one taint of each effect."""
    errors: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        at, key, effect = f"{path}[{index}]", taint.get("key") or "", taint.get("effect") or ""
        errors += [invalid(f"{at}.key", key, each) for each in label_key_errors(key)]
        value = taint.get("value") or ""
        errors += [invalid(f"{at}.value", value, each) for each in label_value_errors(value)]
        if not effect:
            errors.append(required(f"{at}.effect"))
        elif effect not in EFFECTS:
            errors.append(not_supported(f"{at}.effect", effect, EFFECTS))
        if (key, effect) in seen:
            errors.append(duplicate(at, taint))
        seen.add((key, effect))
    return errors
