"""The addresses of Services: well-formed, of one family each, and lasting.

Follows `ValidateServiceClusterIPsRelatedFields` of pkg/apis/core/validation, and what Kubernetes' allocator says of
families that a cluster does not have.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from kubus.model.errors import FieldError, duplicate, invalid, not_supported, required
from kubus.model.names import ip_errors
from kubus.model.objects import Object
from kubus.model.service_changes import FAMILIES, HEADLESS, is_headless, needs_address

KNOWN_FAMILIES = ("IPv4", "IPv6")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
LASTING = "may not change once set"


def address_errors(spec: Object, before: Object) -> list[FieldError]:
    """What is wrong with a Service's own and its external addresses."""
    errors: list[FieldError] = []
    if needs_address(spec):
        errors += _agreement_errors(spec) + _family_errors(spec)
        wrong = _form_errors(spec.get("clusterIPs") or [])
        errors += wrong or _stack_errors(spec)
    kept = before.get("externalIPs") or ()
    for index, address in enumerate(spec.get("externalIPs") or ()):
        if address not in kept:
            errors += external_address_errors(address, f"spec.externalIPs[{index}]")
    return errors


def _agreement_errors(spec: Object) -> list[FieldError]:
    first, addresses = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if first and not addresses:
        return [required("spec.clusterIPs")]
    if first and addresses[0] != first:
        return [invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")]
    if addresses and not first:
        return [invalid("spec.clusterIPs", addresses, "must be empty when `clusterIP` is not specified")]
    return []


def _family_errors(spec: Object) -> list[FieldError]:
    families, policy = spec.get("ipFamilies") or [], spec.get("ipFamilyPolicy")
    errors: list[FieldError] = []
    for index, family in enumerate(families):
        if family not in KNOWN_FAMILIES:
            errors.append(not_supported(f"spec.ipFamilies[{index}]", family, KNOWN_FAMILIES))
        if family in families[:index]:
            errors.append(duplicate(f"spec.ipFamilies[{index}]", family))
    if policy is not None and policy not in POLICIES:
        errors.append(not_supported("spec.ipFamilyPolicy", policy, POLICIES))
    return errors


def _form_errors(addresses: list[str]) -> list[FieldError]:
    if addresses[:1] == [HEADLESS]:
        detail = "'None' must be the first and only value"
        return [invalid("spec.clusterIPs", addresses, detail)] if len(addresses) > 1 else []
    return [
        invalid(f"spec.clusterIPs[{index}]", each, sentence)
        for index, each in enumerate(addresses)
        for sentence in ip_errors(each)
    ]


def _stack_errors(spec: Object) -> list[FieldError]:
    """Addresses match their families, and the cluster has those."""
    addresses, families = spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    found = ["IPv6" if ":" in each else "IPv4" for each in addresses]
    errors: list[FieldError] = []
    if len(addresses) > 2:
        errors.append(invalid("spec.clusterIPs", addresses, "may only hold up to 2 values"))
    if len(set(found)) < len(found):
        errors.append(invalid("spec.clusterIPs", addresses, "may specify no more than one IP for each IP family"))
    if is_headless(spec) and not spec.get("selector"):
        return errors
    if not is_headless(spec):
        for index, (address, family) in enumerate(zip(addresses, families, strict=False)):
            if family in KNOWN_FAMILIES and found[index] != family:
                detail = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
                errors.append(invalid(f"spec.clusterIPs[{index}]", address, detail))
    return errors or _cluster_errors(spec, addresses, families)


def _cluster_errors(spec: Object, addresses: list[str], families: list[str]) -> list[FieldError]:
    policy, path = spec.get("ipFamilyPolicy"), "spec.ipFamilyPolicy"
    several = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
    if policy == "SingleStack" and len(addresses) == 2:
        return [invalid(path, policy, f"{several} cluster IPs are specified")]
    if policy == "SingleStack" and len(families) == 2:
        return [invalid(path, policy, f"{several} IP families are specified")]
    errors: list[FieldError] = []
    if policy == "RequireDualStack" and len(FAMILIES) < 2:
        errors.append(invalid(path, policy, "this cluster is not configured for dual-stack services"))
    return errors + [
        invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
        for index, family in enumerate(families)
        if family in KNOWN_FAMILIES and family not in FAMILIES
    ]


def external_address_errors(address: str, path: str) -> list[FieldError]:
    """An address that others can reach: none that means the machine or the link itself."""
    if found := ip_errors(address):
        return [invalid(path, address, each) for each in found]
    ip = ip_address(address)
    details = {
        f"may not be unspecified ({address})": ip.is_unspecified,
        "may not be in the loopback range (127.0.0.0/8, ::1/128)": ip.is_loopback,
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)": ip.is_link_local,
        "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)": ip.is_multicast
        and str(ip).startswith(("224.0.0.", "ff02:")),
    }
    return [invalid(path, address, detail) for detail, applies in details.items() if applies]


def address_change_errors(spec: Object, before: Object) -> list[FieldError]:
    """Addresses and families last; a second one may come, and go with the policy SingleStack."""
    if not (needs_address(spec) and needs_address(before)):
        return []
    errors: list[FieldError] = []
    if not (is_headless(spec) and is_headless(before)):
        errors += _lasting_errors(spec, before, "clusterIPs", "clusterIP")
    if not is_headless(spec) and not is_headless(before):
        errors += _lasting_errors(spec, before, "ipFamilies", "ipFamily")
    return errors


def _lasting_errors(spec: Object, before: Object, field: str, word: str) -> list[FieldError]:
    new: list[Any] = spec.get(field) or []
    had: list[Any] = before.get(field) or []
    path = f"spec.{field}"
    if len(new) == len(had):
        changed = [index for index, each in enumerate(had) if new[index] != each]
        return [invalid(f"{path}[{index if field == 'clusterIPs' else 0}]", new, LASTING) for index in changed]
    errors: list[FieldError] = []
    if not new:
        errors.append(invalid(f"{path}[0]", new, f"primary {word} can not be unset"))
    if new and had and new[0] != had[0]:
        errors.append(invalid(f"{path}[0]", new, LASTING))
    if len(new) == 1 < len(had) and spec.get("ipFamilyPolicy") != "SingleStack":
        detail = f"must be set to 'SingleStack' when releasing the secondary {word}"
        errors.append(invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), detail))
    return errors
