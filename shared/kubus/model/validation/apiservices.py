"""APIServices: which group version, and whose it is.

Follows pkg/apis/apiregistration/validation of kube-aggregator.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, invalid, required
from kubus.model.names import dns_1035_label_errors, dns_subdomain_errors, port_number_errors
from kubus.model.objects import Object, name_of

_GROUP_PRIORITY_MAX, _VERSION_PRIORITY_MAX = 20_000, 1_000


def apiservice_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with an APIService."""
    spec = obj.get("spec") or {}
    group, version = spec.get("group") or "", spec.get("version") or ""
    errors: list[FieldError] = []
    if name_of(obj) and name_of(obj) != f"{version}.{group}":
        wanted = f'must be `spec.version+"."+spec.group`: "{version}.{group}"'
        errors.append(invalid("metadata.name", name_of(obj), wanted))
    if not group and version != "v1":
        errors.append(required("spec.group", "only v1 may have an empty group and it better be legacy kube"))
    if group:
        errors += [invalid("spec.group", group, each) for each in dns_subdomain_errors(group)]
    errors += [invalid("spec.version", version, each) for each in dns_1035_label_errors(version)]
    errors += _priority_errors(spec, "groupPriorityMinimum", _GROUP_PRIORITY_MAX)
    errors += _priority_errors(spec, "versionPriority", _VERSION_PRIORITY_MAX)
    return errors + (_service_errors(spec, spec["service"]) if spec.get("service") else _local_errors(spec))


def _priority_errors(spec: Object, field: str, most: int) -> list[FieldError]:
    value = spec.get(field) or 0
    if 0 < value <= most:
        return []
    return [invalid(f"spec.{field}", value, f"must be positive and less than {most}")]


def _local_errors(spec: Object) -> list[FieldError]:
    errors = []
    if bundle := spec.get("caBundle"):
        shown = f"{len(bundle) * 3 // 4} bytes"
        errors.append(invalid("spec.caBundle", shown, "local APIServices may not have a caBundle"))
    if spec.get("insecureSkipTLSVerify"):
        words = "local APIServices may not have insecureSkipTLSVerify"
        errors.append(invalid("spec.insecureSkipTLSVerify", True, words))
    return errors


def _service_errors(spec: Object, service: Object) -> list[FieldError]:
    errors = [required(f"spec.service.{field}") for field in ("namespace", "name") if not service.get(field)]
    if service.get("port") is not None:
        found = port_number_errors(service["port"])
        errors += [invalid("spec.service.port", service["port"], f"port is not valid: {each}") for each in found]
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        errors.append(invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present"))
    return errors


def set_apiservice_defaults(obj: Object) -> None:
    """The port of the Service."""
    service = (obj.get("spec") or {}).get("service")
    if service:
        service.setdefault("port", 443)
