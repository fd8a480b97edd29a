"""Resource quotas and limit ranges."""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid
from kubus.model.names import label_key_errors
from kubus.model.objects import Object
from kubus.model.quantities import canonical, parse_quantity
from kubus.model.validation.values import immutable, quantity_not_negative

SMALL_TO_LARGE = (("min", "max"), ("min", "defaultRequest"), ("min", "default"), ("defaultRequest", "default"))
CAPPED = (("defaultRequest", "max"), ("default", "max"))


def quota_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a quota: names, amounts; its scopes stay."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    for name, amount in (spec.get("hard") or {}).items():
        path = f"spec.hard[{name}]"
        errors += [invalid(path, name, each) for each in label_key_errors(name)]
        errors += quantity_not_negative(amount, path)
    if old is not None:
        before = (old.get("spec") or {}).get("scopes") or []
        errors += immutable(sorted(spec.get("scopes") or []), sorted(before), "spec.scopes")
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
