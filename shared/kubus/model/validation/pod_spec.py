"""The spec of a pod, alone or in a template.

Follows `ValidatePodSpec` of pkg/apis/core/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_found_field, required
from kubus.model.names import dns_label_errors, dns_subdomain_errors, ip_errors
from kubus.model.objects import Object
from kubus.model.validation.containers import containers_errors, init_containers_errors
from kubus.model.validation.kernel_settings import sysctl_errors
from kubus.model.validation.metadata import labels_errors
from kubus.model.validation.placement import affinity_errors, spread_errors, tolerations_errors
from kubus.model.validation.values import not_negative, required_one_of
from kubus.model.validation.volumes import volumes_errors

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
INT32_MAX = 2**31 - 1


def pod_spec_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with a pod's spec."""
    volumes = spec.get("volumes") or []
    containers = spec.get("containers") or []
    names = {each.get("name") for each in volumes}
    errors = volumes_errors(volumes, f"{path}.volumes")
    if not containers:
        errors.append(required(f"{path}.containers"))
    errors += containers_errors(containers, names, f"{path}.containers")
    if spec.get("initContainers"):
        errors += init_containers_errors(spec["initContainers"], containers, names, f"{path}.initContainers")
    if spec.get("ephemeralContainers"):
        errors += ephemeral_errors(spec, path)
    errors += required_one_of(spec.get("restartPolicy"), f"{path}.restartPolicy", RESTART_POLICIES)
    errors += _dns_errors(spec, path)
    errors += labels_errors(spec.get("nodeSelector"), f"{path}.nodeSelector")
    errors += _name_errors(spec, path)
    errors += _seconds_errors(spec, path)
    errors += _host_errors(spec, path)
    errors += sysctl_errors(spec, path)
    if spec.get("tolerations"):
        errors += tolerations_errors(spec["tolerations"], f"{path}.tolerations")
    if spec.get("affinity"):
        errors += affinity_errors(spec["affinity"], f"{path}.affinity")
    if spec.get("topologySpreadConstraints"):
        errors += spread_errors(spec["topologySpreadConstraints"], f"{path}.topologySpreadConstraints")
    return errors


def _dns_errors(spec: Object, path: str) -> list[FieldError]:
    errors = required_one_of(spec.get("dnsPolicy"), f"{path}.dnsPolicy", DNS_POLICIES)
    config = spec.get("dnsConfig") or {}
    servers = config.get("nameservers") or []
    if spec.get("dnsPolicy") == "None" and not servers:
        detail = 'must provide at least one DNS nameserver when `dnsPolicy` is "None"'
        errors.append(required(f"{path}.dnsConfig.nameservers", detail))
    if len(servers) > 3:
        errors.append(invalid(f"{path}.dnsConfig.nameservers", servers, "must not have more than 3 nameservers"))
    for index, server in enumerate(servers):
        errors += [invalid(f"{path}.dnsConfig.nameservers[{index}]", server, each) for each in ip_errors(server)]
    return errors


def _name_errors(spec: Object, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        if value := spec.get(key):
            errors += [invalid(f"{path}.{key}", value, each) for each in dns_subdomain_errors(value)]
    for key in ("hostname", "subdomain"):
        if value := spec.get(key):
            errors += [invalid(f"{path}.{key}", value, each) for each in dns_label_errors(value)]
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        ip = alias.get("ip") or ""
        errors += [invalid(f"{path}.hostAliases[{index}].ip", ip, each) for each in ip_errors(ip)]
    return errors


def _seconds_errors(spec: Object, path: str) -> list[FieldError]:
    errors = not_negative(spec.get("terminationGracePeriodSeconds"), f"{path}.terminationGracePeriodSeconds")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= INT32_MAX:
        detail = f"must be between 1 and {INT32_MAX}, inclusive"
        errors.append(invalid(f"{path}.activeDeadlineSeconds", deadline, detail))
    return errors


def _host_errors(spec: Object, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid(f"{path}.shareProcessNamespace", True, detail))
    if spec.get("hostNetwork"):
        for key in ("containers", "initContainers"):
            for index, container in enumerate(spec.get(key) or ()):
                for number, port in enumerate(container.get("ports") or ()):
                    at = f"{path}.{key}[{index}].ports[{number}].hostPort"
                    if port.get("hostPort") and port["hostPort"] != port.get("containerPort"):
                        detail = "must match `containerPort` when `hostNetwork` is true"
                        errors.append(invalid(at, port["hostPort"], detail))
    return errors


def ephemeral_errors(spec: Object, path: str) -> list[FieldError]:
    """Containers for debugging: named apart from all others, without ports, probes and resources."""
    errors: list[FieldError] = []
    names = {each.get("name") for key in ("containers", "initContainers") for each in spec.get(key) or ()}
    volumes = {each.get("name") for each in spec.get("volumes") or ()}
    for index, container in enumerate(spec["ephemeralContainers"]):
        at = f"{path}.ephemeralContainers[{index}]"
        if container.get("name") in names:
            errors.append(duplicate(f"{at}.name", container.get("name")))
        if container.get("targetContainerName") and container["targetContainerName"] not in names:
            errors.append(not_found_field(f"{at}.targetContainerName", container["targetContainerName"]))
        for key in ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if container.get(key):
                errors.append(forbidden_field(f"{at}.{key}", "cannot be set for an Ephemeral Container"))
    return errors + containers_errors(spec["ephemeralContainers"], volumes, f"{path}.ephemeralContainers")
