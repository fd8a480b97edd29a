"""The addresses in a pod's status.

Follows `validatePodIPs` and `validateHostIPs` of pkg/apis/core/validation. The single field and the first of the list
are one field there; here both are stored, so both are checked.
"""

from __future__ import annotations

from typing import Any

from kubus.model.errors import FieldError, invalid
from kubus.model.objects import Object
from kubus.model.validation.addresses import ip_field_errors, stack_errors


def pod_status_errors(pod: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with the addresses of a pod's status."""
    status, before = pod.get("status") or {}, (old or {}).get("status") or {}
    return _errors(status, before, "podIP") + _errors(status, before, "hostIP")


def _errors(status: Object, before: Object, field: str) -> list[FieldError]:
    path = f"status.{field}s"
    single, listed = status.get(field) or "", _listed(status, field)
    kept = {*_listed(before, field), before.get(field) or ""} - {""}
    errors = [error for index, each in enumerate(listed) for error in ip_field_errors(each, f"{path}[{index}]", kept)]
    if single and single not in listed[:1]:
        errors += ip_field_errors(single, f"{path}[0]" if not listed else f"status.{field}", kept)
        if listed and field == "hostIP":
            errors.append(invalid(f"{path}[0].ip", listed[0], "must be equal to `hostIP`"))
    if errors or listed == _listed(before, field):
        return errors
    return stack_errors(listed, path, status.get(f"{field}s"), "IP")


def _listed(status: Object, field: str) -> list[str]:
    entries: list[dict[str, Any]] = status.get(f"{field}s") or []
    return [each.get("ip") or "" for each in entries]
