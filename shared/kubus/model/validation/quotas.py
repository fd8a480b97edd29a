"""Resource quotas and limit ranges."""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, required
from kubus.model.names import label_key_errors
from kubus.model.objects import Object
from kubus.model.quantities import canonical, parse_quantity
from kubus.model.validation.values import immutable, quantity_not_negative

SMALL_TO_LARGE = (("min", "max"), ("min", "defaultRequest"), ("min", "default"), ("defaultRequest", "default"))
CAPPED = (("defaultRequest", "max"), ("default", "max"))
_COMPUTE = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})
_CLAIMS = frozenset({"persistentvolumeclaims", "requests.storage"})
STANDARD = (
    _COMPUTE
    | _CLAIMS
    | {
        "configmaps",
        "ephemeral-storage",
        "limits.ephemeral-storage",
        "pods",
        "replicationcontrollers",
        "requests.ephemeral-storage",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    }
)
"""What a quota can limit beside what has a domain in its name."""
_OF_PODS = _COMPUTE | {"pods"}
SCOPES = {
    "BestEffort": frozenset({"pods"}),
    "CrossNamespacePodAffinity": _OF_PODS,
    "NotBestEffort": _OF_PODS,
    "NotTerminating": _OF_PODS,
    "PriorityClass": _OF_PODS,
    "Terminating": _OF_PODS,
    "VolumeAttributesClass": _CLAIMS,
}
"""Scopes, and which of the standard limits can have them."""
ONLY_EXISTING = frozenset(SCOPES) - {"PriorityClass", "VolumeAttributesClass"}
_MUST_EXIST = (
    "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def quota_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a quota: names, amounts; its scopes stay."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    for name, amount in (spec.get("hard") or {}).items():
        path = f"spec.hard[{name}]"
        errors += [invalid(path, name, each) for each in label_key_errors(name)]
        if "/" not in name and not _is_standard(name):
            errors.append(invalid(path, name, "must be a standard resource for quota"))
        errors += quantity_not_negative(amount, path)
    errors += _scopes_errors(spec) + _selector_errors(spec)
    if old is not None:
        before = (old.get("spec") or {}).get("scopes") or []
        errors += immutable(sorted(spec.get("scopes") or []), sorted(before), "spec.scopes")
    return errors


def _is_standard(name: str) -> bool:
    return name in STANDARD or name.removeprefix("requests.").startswith("hugepages-")


def _scopes_errors(spec: Object) -> list[FieldError]:
    scopes, path = spec.get("scopes") or [], "spec.scopes"
    errors: list[FieldError] = []
    for scope in scopes:
        errors += [invalid(path, scopes, each) for each in _misfits(scope, spec)]
    for pair in (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")):
        if set(pair) <= set(scopes):
            errors.append(invalid(path, scopes, "conflicting scopes"))
    return errors


def _misfits(scope: str, spec: Object) -> list[str]:
    """Why a scope cannot be had for these limits."""
    if scope not in SCOPES:
        return ["unsupported scope"]
    names = [name for name in spec.get("hard") or {} if _is_standard(name) and name not in SCOPES[scope]]
    return ["unsupported scope applied to resource"] * len(names)


def _selector_errors(spec: Object) -> list[FieldError]:
    selector, path = spec.get("scopeSelector") or {}, "spec.scopeSelector.matchExpressions"
    errors: list[FieldError] = []
    for each in selector.get("matchExpressions") or ():
        scope, operator, values = each.get("scopeName") or "", each.get("operator") or "", each.get("values") or []
        errors += [invalid(f"{path}.scopeName", scope, words) for words in _misfits(scope, spec)]
        if scope in ONLY_EXISTING and operator != "Exists":
            errors.append(invalid(f"{path}.operator", operator, _MUST_EXIST))
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            errors.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
        elif operator in ("In", "NotIn") and not values:
            detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            errors.append(required(f"{path}.values", detail))
        elif operator in ("Exists", "DoesNotExist") and values:
            detail = "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"
            errors.append(invalid(f"{path}.values", values, detail))
    return errors


def limit_range_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """What is wrong with a limit range: one entry a type, and min ≤ default request ≤ default ≤ max."""
    errors: list[FieldError] = []
    types: set[str] = set()
    for index, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{index}]", item.get("type") or ""
        if kind in types:
            errors.append(duplicate(f"{path}.type", kind))
        types.add(kind)
        if kind == "Pod":
            for key in ("default", "defaultRequest"):
                if item.get(key):
                    detail = "may not be specified when `type` is 'Pod'"
                    errors.append(forbidden_field(f"{path}.{key}", detail))
        errors += _order_errors(item, path)
    return errors


def _order_errors(item: Object, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for small, large in (*SMALL_TO_LARGE, *CAPPED):
        for name, low in (item.get(small) or {}).items():
            high = (item.get(large) or {}).get(name)
            if high is not None and parse_quantity(low) > parse_quantity(high):
                words = (
                    f"{_words(small)} value {canonical(low)} is greater than {_words(large)} value {canonical(high)}"
                )
                errors.append(invalid(f"{path}.{small}[{name}]", canonical(low), words))
    return errors


def _words(key: str) -> str:
    return {"defaultRequest": "default request"}.get(key, key)
