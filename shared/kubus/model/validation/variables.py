"""A container's environment: names, values, and where values come from.

Follows `ValidateEnv` and `ValidateEnvFrom` of pkg/apis/core/validation.
"""

from __future__ import annotations

from collections.abc import Collection

from kubus.model.errors import FieldError, invalid, not_supported, required
from kubus.model.names import (
    config_key_errors,
    dns_label_errors,
    dns_subdomain_errors,
    env_name_errors,
    label_key_errors,
)
from kubus.model.objects import Object
from kubus.model.quantities import canonical, parse_quantity

SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
FIELD_PATHS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
AMOUNTS = tuple(f"{side}.{name}" for side in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory"))
_SIZES = tuple(f"1{unit}" for unit in ("", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
_SIZES_WORDS = f"only divisor's values {', '.join(_SIZES)} are supported with the"


def env_errors(variables: list[Object], path: str) -> list[FieldError]:
    """What is wrong with variables."""
    errors: list[FieldError] = []
    for index, variable in enumerate(variables):
        at, name = f"{path}[{index}]", variable.get("name") or ""
        errors += (
            [invalid(f"{at}.name", name, each) for each in env_name_errors(name)] if name else [required(f"{at}.name")]
        )
        if variable.get("valueFrom") is not None:
            errors += _value_from_errors(variable, f"{at}.valueFrom")
    return errors


def _value_from_errors(variable: Object, path: str) -> list[FieldError]:
    given: Object = variable["valueFrom"]
    errors: list[FieldError] = []
    if "fieldRef" in given:
        errors += field_ref_errors(given["fieldRef"], f"{path}.fieldRef")
    if "resourceFieldRef" in given:
        errors += resource_ref_errors(given["resourceFieldRef"], f"{path}.resourceFieldRef")
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in given:
            errors += _key_errors(given[key], f"{path}.{key}")
    if "fileKeyRef" in given:
        errors += _file_key_errors(given["fileKeyRef"], f"{path}.fileKeyRef")
    count = sum(key in given for key in SOURCES)
    if count == 0:
        names = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        errors.append(invalid(path, "", f"must specify one of: {names}"))
    elif variable.get("value"):
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif count > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors


def _key_errors(reference: Object, path: str) -> list[FieldError]:
    name, key = reference.get("name") or "", reference.get("key") or ""
    errors = [invalid(f"{path}.name", name, each) for each in dns_subdomain_errors(name)]
    if not key:
        return [*errors, required(f"{path}.key")]
    return errors + [invalid(f"{path}.key", key, each) for each in config_key_errors(key)]


def _file_key_errors(reference: Object, path: str) -> list[FieldError]:
    key, volume, file = (reference.get(field) or "" for field in ("key", "volumeName", "path"))
    errors = [invalid(f"{path}.key", key, each) for each in env_name_errors(key)] if key else [required(f"{path}.key")]
    at = f"{path}.volumeName"
    errors += [invalid(at, volume, each) for each in dns_label_errors(volume)] if volume else [required(at)]
    if not file:
        errors.append(required(f"{path}.path"))
    elif ".." in file.split("/"):
        errors.append(invalid(f"{path}.path", file, "must not contain '..'"))
    return errors


def field_ref_errors(reference: Object, path: str, allowed: Collection[str] = FIELD_PATHS) -> list[FieldError]:
    """A reference to a field of the pod itself."""
    field = reference.get("fieldPath") or ""
    if not reference.get("apiVersion"):
        return [required(f"{path}.apiVersion")]
    if not field:
        return [required(f"{path}.fieldPath")]
    start, bracket, rest = field.partition("['")
    if bracket and rest.endswith("']") and start in ("metadata.annotations", "metadata.labels"):
        key = rest[:-2].lower() if start == "metadata.annotations" else rest[:-2]
        return [invalid(path, key, each) for each in label_key_errors(key)]
    if field in ("metadata.labels", "metadata.annotations") or field in FIELD_PATHS:
        return [] if field in allowed else [not_supported(f"{path}.fieldPath", field, sorted(allowed))]
    detail = f"error converting fieldPath: field label not supported: {field}"
    return [invalid(f"{path}.fieldPath", field, detail)]


def resource_ref_errors(reference: Object, path: str, *, of_volume: bool = False) -> list[FieldError]:
    """A reference to a request or limit of a container."""
    name, errors = reference.get("resource") or "", list[FieldError]()
    huge = name.startswith(("limits.hugepages-", "requests.hugepages-"))
    if of_volume and not reference.get("containerName"):
        errors.append(required(f"{path}.containerName"))
    elif not name:
        errors.append(required(f"{path}.resource"))
    elif name not in AMOUNTS and not huge:
        errors.append(not_supported(f"{path}.resource", name, AMOUNTS))
    divisor = reference.get("divisor")
    if divisor is None or parse_quantity(divisor) == 0:
        return errors
    resource = name.partition(".")[2]
    known = ("1m", "1") if resource == "cpu" else _SIZES
    if (name in AMOUNTS or huge) and canonical(divisor) not in known:
        errors.append(invalid(f"{path}.divisor", name, _divisor_words(resource)))
    return errors


def _divisor_words(resource: str) -> str:
    if resource == "cpu":
        return "only divisor's values 1m and 1 are supported with the cpu resource"
    shown = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}.get(resource, "hugepages")
    return f"{_SIZES_WORDS} {shown} resource"


def env_from_errors(sources: list[Object], path: str) -> list[FieldError]:
    """What is wrong with whole ConfigMaps and Secrets as sources; how many are named is said of the list."""
    errors: list[FieldError] = []
    for index, source in enumerate(sources):
        at = f"{path}[{index}]"
        if prefix := source.get("prefix"):
            errors += [invalid(f"{at}.prefix", prefix, each) for each in env_name_errors(prefix)]
        given = [key for key in ("configMapRef", "secretRef") if key in source]
        for key in given:
            name = source[key].get("name") or ""
            found = [invalid(f"{at}.{key}.name", name, each) for each in dns_subdomain_errors(name)]
            errors += found if name else [required(f"{at}.{key}.name")]
        if not given:
            errors.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(given) > 1:
            errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors
