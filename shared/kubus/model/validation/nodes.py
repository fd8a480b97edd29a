"""Nodes: taints, pod ranges that are given once, addresses.

Every other node routes a node's pod range to its address, so both are parsed here.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from kubus.model.names import label_key_errors, label_value_errors
from kubus.model.objects import Object
from kubus.model.validation.addresses import cidr_field_errors, ip_field_errors, stack_errors
from kubus.model.validation.placement import EFFECTS

IP_TYPES = ("InternalIP", "ExternalIP")
GIVEN_ONCE = 'node updates may not change podCIDR except from "" to valid'


def node_errors(node: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a node."""
    spec = node.get("spec") or {}
    errors = taints_errors(spec.get("taints") or [], "spec.taints")
    before = (old or {}).get("spec") or {}
    errors += _pod_range_errors(spec, before)
    if before.get("providerID") and spec.get("providerID") != before["providerID"]:
        errors.append(
            forbidden_field("spec.providerID", 'node updates may not change providerID except from "" to valid')
        )
    return errors


def _pod_range_errors(spec: Object, before: Object) -> list[FieldError]:
    """Ranges are valid, one of each family, and stay; the single field is the first of the list."""
    given, had = _pod_ranges(spec), _pod_ranges(before)
    if had and given != had:
        return [forbidden_field("spec.podCIDRs", GIVEN_ONCE)]
    path = "spec.podCIDRs"
    errors = [error for n, each in enumerate(given) for error in cidr_field_errors(each, f"{path}[{n}]", had)]
    return errors if errors or given == had else stack_errors(given, path, given, "CIDR")


def _pod_ranges(spec: Object) -> list[str]:
    """All ranges of a node; the single field counts where it is not the first of the list, as upstream."""
    single, listed = spec.get("podCIDR") or "", list(spec.get("podCIDRs") or ())
    return [single] if single and listed[:1] != [single] else listed


def node_status_errors(node: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a node's addresses: none twice, and those that are to be IP addresses are."""
    addresses = (node.get("status") or {}).get("addresses") or []
    kept = {each.get("address") or "" for each in ((old or {}).get("status") or {}).get("addresses") or ()}
    errors: list[FieldError] = []
    for index, each in enumerate(addresses):
        at, address = f"status.addresses[{index}]", each.get("address") or ""
        if each.get("type") in IP_TYPES:
            errors += ip_field_errors(address, f"{at}.address", kept)
        if each in addresses[:index]:
            errors.append(duplicate(at, each))
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
