"""The addresses of Services: well-formed, of one family each, and lasting.

Follows `ValidateServiceClusterIPsRelatedFields` of pkg/apis/core/validation, and what Kubernetes' allocator says of
families that a cluster does not have.
"""

from __future__ import annotations

from typing import Any

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from kubus.model.names import dns_subdomain_errors, ip_errors
from kubus.model.objects import Object, path_of
from kubus.model.service_changes import FAMILIES, HEADLESS, is_headless, needs_address
from kubus.model.validation.addresses import ip_field_errors, reachable_address_errors

KNOWN_FAMILIES = ("IPv4", "IPv6")
IP_MODES = ("Proxy", "VIP")
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
            errors += reachable_address_errors(address, f"spec.externalIPs[{index}]")
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


def service_status_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with what a load balancer says of itself (`ValidateLoadBalancerStatus`)."""
    given: list[Object] = path_of(obj, "status", "loadBalancer", "ingress", default=[])
    before: list[Object] = path_of(old or {}, "status", "loadBalancer", "ingress", default=[])
    path = "status.loadBalancer.ingress"
    if given == before:
        return []
    if path_of(obj, "spec", "type") != "LoadBalancer":
        return [forbidden_field(path, 'may only be used when `spec.type` is "LoadBalancer"')] if given else []
    kept = [each.get("ip") or "" for each in before]
    return [error for index, each in enumerate(given) for error in _ingress_errors(each, f"{path}[{index}]", kept)]


def _ingress_errors(ingress: Object, at: str, kept: list[str]) -> list[FieldError]:
    address, mode, name = ingress.get("ip") or "", ingress.get("ipMode"), ingress.get("hostname") or ""
    errors = ip_field_errors(address, f"{at}.ip", kept) if address else []
    if mode is not None and not address:
        errors.append(forbidden_field(f"{at}.ipMode", "may not be specified when `ip` is not set"))
    elif mode is not None and mode not in IP_MODES:
        errors.append(not_supported(f"{at}.ipMode", mode, IP_MODES))
    if name:
        errors += [invalid(f"{at}.hostname", name, each) for each in dns_subdomain_errors(name)]
        if not ip_errors(name):
            errors.append(invalid(f"{at}.hostname", name, "must be a DNS name, not an IP address"))
    return errors


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
