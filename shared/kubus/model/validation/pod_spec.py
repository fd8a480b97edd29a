"""The spec of a pod, alone or in a template.

Follows `ValidatePodSpec` of pkg/apis/core/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, not_found_field, required
from kubus.model.objects import Object
from kubus.model.validation.containers import (
    Around,
    container_errors,
    containers_errors,
    init_containers_errors,
    padded_image_errors,
)
from kubus.model.validation.metadata import labels_errors
from kubus.model.validation.placement import affinity_errors, spread_errors, tolerations_errors
from kubus.model.validation.pod_settings import (
    deadline_errors,
    dns_errors,
    gate_errors,
    host_port_errors,
    name_errors,
    resource_claims_errors,
    system_errors,
)
from kubus.model.validation.security_contexts import host_users_errors, pod_security_errors
from kubus.model.validation.values import required_one_of
from kubus.model.validation.volumes import volumes_errors

RESTART_POLICIES = ("Always", "OnFailure", "Never")
NOT_EPHEMERAL = (
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resizePolicy",
    "resources",
    "restartPolicy",
    "startupProbe",
)


def pod_spec_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with a pod's spec."""
    around = Around(spec)
    containers = spec.get("containers") or []
    errors = volumes_errors(spec.get("volumes") or [], f"{path}.volumes")
    if spec.get("resourceClaims"):
        errors += resource_claims_errors(spec, path)
    if not containers:
        errors.append(required(f"{path}.containers"))
    errors += containers_errors(containers, around, f"{path}.containers")
    if spec.get("initContainers"):
        errors += init_containers_errors(spec["initContainers"], around, f"{path}.initContainers")
    if spec.get("ephemeralContainers"):
        errors += ephemeral_errors(spec, path)
    errors += host_port_errors(spec, path)
    errors += required_one_of(spec.get("restartPolicy"), f"{path}.restartPolicy", RESTART_POLICIES)
    errors += labels_errors(spec.get("nodeSelector"), f"{path}.nodeSelector")
    if spec.get("securityContext") or spec.get("shareProcessNamespace"):
        errors += pod_security_errors(spec, path)
    errors += dns_errors(spec, path)
    errors += gate_errors(spec, path)
    errors += host_users_errors(spec, path)
    errors += name_errors(spec, path)
    errors += deadline_errors(spec, path)
    errors += system_errors(spec, path)
    if spec.get("tolerations"):
        errors += tolerations_errors(spec["tolerations"], f"{path}.tolerations")
    if spec.get("affinity"):
        errors += affinity_errors(spec["affinity"], f"{path}.affinity")
    if spec.get("topologySpreadConstraints"):
        errors += spread_errors(spec["topologySpreadConstraints"], f"{path}.topologySpreadConstraints")
    return errors


def ephemeral_errors(spec: Object, path: str) -> list[FieldError]:
    """Containers for debugging: named apart from all others, without ports, probes and resources."""
    errors: list[FieldError] = []
    others = [each.get("name") for key in ("containers", "initContainers") for each in spec.get(key) or ()]
    names = set(others)
    for index, container in enumerate(spec["ephemeralContainers"]):
        at, name = f"{path}.ephemeralContainers[{index}]", container.get("name")
        errors += container_errors(container, Around(spec), at)
        errors += padded_image_errors([container], f"{path}.ephemeralContainers")
        if name in names:
            errors.append(duplicate(f"{at}.name", name))
        names.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            errors.append(not_found_field(f"{at}.targetContainerName", target))
        for key in NOT_EPHEMERAL:
            if container.get(key):
                errors.append(forbidden_field(f"{at}.{key}", "cannot be set for an Ephemeral Container"))
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            for key in ("subPath", "subPathExpr"):
                if mount.get(key):
                    where = f"{at}.volumeMounts[{number}].{key}"
                    errors.append(forbidden_field(where, "cannot be set for an Ephemeral Container"))
    return errors


def pod_only_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with a pod, though a template may have it."""
    errors: list[FieldError] = []
    for key in ("containers", "initContainers"):
        errors += padded_image_errors(spec.get(key) or [], f"{path}.{key}")
    return errors
