"""Containers: names, images, ports, environment, mounts, resources, probes and hooks.

Follows the container part of pkg/apis/core/validation.
"""

from __future__ import annotations

from collections.abc import Collection

from kubus.model.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid,
    not_found_field,
    not_supported,
    required,
)
from kubus.model.names import config_key_errors, dns_label_errors, env_name_errors, port_name_errors
from kubus.model.objects import Object
from kubus.model.validation.probes import lifecycle_errors, probe_errors
from kubus.model.validation.resources import resources_errors
from kubus.model.validation.values import one_of, port_number, required_one_of

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
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


def containers_errors(containers: list[Object], volumes: Collection[str], path: str) -> list[FieldError]:
    """What is wrong with a list of containers."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, container in enumerate(containers):
        at = f"{path}[{index}]"
        name = container.get("name") or ""
        if name in names:
            errors.append(duplicate(f"{at}.name", name))
        names.add(name)
        errors += container_errors(container, volumes, at)
    return errors + _host_port_conflicts(containers, path)


def container_errors(container: Object, volumes: Collection[str], path: str) -> list[FieldError]:
    """What is wrong with one container; `volumes` are the names that it may mount."""
    errors = _name_and_image_errors(container, path)
    if container.get("ports"):
        errors += _ports_errors(container["ports"], f"{path}.ports")
    if container.get("env"):
        errors += _env_errors(container["env"], f"{path}.env")
    if container.get("envFrom"):
        errors += _env_from_errors(container["envFrom"], f"{path}.envFrom")
    if container.get("volumeMounts"):
        errors += _mounts_errors(container["volumeMounts"], volumes, f"{path}.volumeMounts")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe):
            errors += probe_errors(container[probe], probe, f"{path}.{probe}")
    if container.get("lifecycle"):
        errors += lifecycle_errors(container["lifecycle"], f"{path}.lifecycle")
    errors += required_one_of(container.get("imagePullPolicy"), f"{path}.imagePullPolicy", PULL_POLICIES)
    if container.get("resources"):
        errors += resources_errors(container["resources"], f"{path}.resources")
    policy = container.get("terminationMessagePolicy")
    return errors + one_of(policy, f"{path}.terminationMessagePolicy", ("File", "FallbackToLogsOnError"))


def _name_and_image_errors(container: Object, path: str) -> list[FieldError]:
    name, image = container.get("name") or "", container.get("image") or ""
    errors = [invalid(f"{path}.name", name, each) for each in dns_label_errors(name)] if name else []
    if not name:
        errors.append(required(f"{path}.name"))
    if not image:
        errors.append(required(f"{path}.image"))
    elif image.strip() != image:
        errors.append(invalid(f"{path}.image", image, "must not have leading or trailing whitespace"))
    return errors


def _ports_errors(ports: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        at, name = f"{path}[{index}]", port.get("name")
        if name:
            if found := port_name_errors(name):
                errors += [invalid(f"{at}.name", name, each) for each in found]
            elif name in names:
                errors.append(duplicate(f"{at}.name", name))
            names.add(name)
        if not port.get("containerPort"):
            errors.append(required(f"{at}.containerPort"))
        else:
            errors += port_number(port["containerPort"], f"{at}.containerPort")
        if port.get("hostPort"):
            errors += port_number(port["hostPort"], f"{at}.hostPort")
        errors += required_one_of(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
    return errors


def _host_port_conflicts(containers: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    taken: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            shown = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if shown in taken:
                errors.append(duplicate(f"{path}[{index}].ports[{number}].hostPort", shown))
            taken.add(shown)
    return errors


def _env_errors(variables: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, variable in enumerate(variables):
        at, name = f"{path}[{index}]", variable.get("name") or ""
        if not name:
            errors.append(required(f"{at}.name"))
        else:
            errors += [invalid(f"{at}.name", name, each) for each in env_name_errors(name)]
        if variable.get("valueFrom") is not None:
            errors += _value_from_errors(variable, f"{at}.valueFrom")
    return errors


def _value_from_errors(variable: Object, path: str) -> list[FieldError]:
    given: Object = variable["valueFrom"]
    errors: list[FieldError] = []
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in given:
            errors += _key_errors(given[key].get("key") or "", f"{path}.{key}.key")
    if "fieldRef" in given:
        errors += field_ref_errors(given["fieldRef"], f"{path}.fieldRef")
    if "resourceFieldRef" in given and not given["resourceFieldRef"].get("resource"):
        errors.append(required(f"{path}.resourceFieldRef.resource"))
    count = sum(key in given for key in SOURCES)
    if count == 0:
        detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        errors.append(invalid(path, "", detail))
    elif variable.get("value"):
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif count > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    return errors


def _key_errors(key: str, path: str) -> list[FieldError]:
    return [invalid(path, key, each) for each in config_key_errors(key)] if key else [required(path)]


def field_ref_errors(reference: Object, path: str, allowed: Collection[str] = FIELD_PATHS) -> list[FieldError]:
    """A reference to a field of the pod itself."""
    field = reference.get("fieldPath") or ""
    if not reference.get("apiVersion"):
        return [required(f"{path}.apiVersion")]
    if not field:
        return [required(f"{path}.fieldPath")]
    if field.startswith(("metadata.labels['", "metadata.annotations['")) and field.endswith("']"):
        return []
    if field in ("metadata.labels", "metadata.annotations") or field in FIELD_PATHS:
        return [] if field in allowed else [not_supported(f"{path}.fieldPath", field, sorted(allowed))]
    detail = f"error converting fieldPath: field label not supported: {field}"
    return [invalid(f"{path}.fieldPath", field, detail)]


def _env_from_errors(sources: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, source in enumerate(sources):
        at = f"{path}[{index}]"
        if prefix := source.get("prefix"):
            errors += [invalid(f"{at}.prefix", prefix, each) for each in env_name_errors(prefix)]
        given = [key for key in ("configMapRef", "secretRef") if key in source]
        errors += [required(f"{at}.{key}.name") for key in given if not source[key].get("name")]
        if not given:
            errors.append(invalid(at, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(given) > 1:
            errors.append(invalid(at, "", "may not have more than one field specified at a time"))
    return errors


def _mounts_errors(mounts: list[Object], volumes: Collection[str], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        at, name, target = f"{path}[{index}]", mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            errors.append(required(f"{at}.name"))
        elif name not in volumes:
            errors.append(not_found_field(f"{at}.name", name))
        if not target:
            errors.append(required(f"{at}.mountPath"))
        elif target in paths:
            errors.append(invalid(f"{at}.mountPath", target, "must be unique"))
        paths.add(target)
        if mount.get("subPath") and mount.get("subPathExpr"):
            errors.append(
                invalid(f"{at}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive")
            )
        errors += relative_path_errors(mount.get("subPath") or "", f"{at}.subPath")
        errors += relative_path_errors(mount.get("subPathExpr") or "", f"{at}.subPathExpr")
    return errors


def relative_path_errors(text: str, path: str) -> list[FieldError]:
    """A path that stays below where it starts."""
    if text.startswith("/"):
        return [invalid(path, text, "must be a relative path")]
    return [invalid(path, text, "must not contain '..'")] if ".." in text.split("/") else []


def init_containers_errors(
    containers: list[Object], others: list[Object], volumes: Collection[str], path: str
) -> list[FieldError]:
    """What is wrong with init containers; those with restartPolicy Always are sidecars and may have probes."""
    errors = containers_errors(containers, volumes, path)
    names = {each.get("name") for each in others}
    for index, container in enumerate(containers):
        at = f"{path}[{index}]"
        if container.get("name") in names:
            errors.append(duplicate(f"{at}.name", container.get("name")))
        if container.get("restartPolicy") == "Always":
            continue
        for key in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if container.get(key):
                detail = "may not be set for init containers without restartPolicy=Always"
                errors.append(forbidden_field(f"{at}.{key}", detail))
    return errors
