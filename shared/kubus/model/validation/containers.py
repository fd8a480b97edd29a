"""Containers: names, images, ports, resources, policies, probes and hooks.

Follows the container part of pkg/apis/core/validation; environment, mounts and security contexts are modules of their
own.
"""

from __future__ import annotations

from typing import NamedTuple

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required, too_many
from kubus.model.names import dns_label_errors, port_name_errors
from kubus.model.objects import Object
from kubus.model.validation.mounts import mounts_errors
from kubus.model.validation.probes import lifecycle_errors, probe_errors
from kubus.model.validation.resources import resources_errors
from kubus.model.validation.security_contexts import container_security_errors
from kubus.model.validation.values import one_of, port_number, required_one_of
from kubus.model.validation.variables import env_errors, env_from_errors

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
TERMINATION = ("File", "FallbackToLogsOnError")
RESIZE_RESOURCES = ("cpu", "memory")
RESIZE_POLICIES = ("NotRequired", "RestartContainer")
RESTARTS = ("Always", "Never", "OnFailure")
EXIT_CODES = ("In", "NotIn")
RULE_ACTIONS = ("Restart", "RestartAllContainers")


class Around(NamedTuple):
    """What the rules of a container need to know of its pod."""

    spec: Object

    @property
    def volumes(self) -> dict[str, Object]:
        """By name."""
        return {each.get("name") or "": each for each in self.spec.get("volumes") or ()}

    @property
    def claims(self) -> list[str]:
        """Names of the resource claims."""
        return [each.get("name") or "" for each in self.spec.get("resourceClaims") or ()]


def containers_errors(containers: list[Object], around: Around, path: str) -> list[FieldError]:
    """What is wrong with a pod's list of containers."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, container in enumerate(containers):
        at = f"{path}[{index}]"
        name = container.get("name") or ""
        errors += container_errors(container, around, at)
        if name in names:
            errors.append(duplicate(f"{at}.name", name))
        names.add(name)
        errors += _lifecycle_errors(container, around, at)
        errors += _restart_errors(container, at)
    return errors + _host_port_conflicts(containers, path)


def container_errors(container: Object, around: Around, path: str) -> list[FieldError]:
    """What is wrong with a container of whatever list."""
    errors = _name_and_image_errors(container, path)
    policy = container.get("terminationMessagePolicy")
    errors += one_of(policy, f"{path}.terminationMessagePolicy", TERMINATION)
    if container.get("ports"):
        errors += _ports_errors(container["ports"], f"{path}.ports")
    if container.get("env"):
        errors += env_errors(container["env"], f"{path}.env")
    if container.get("envFrom"):
        errors += env_from_errors(container["envFrom"], f"{path}.envFrom")
    if container.get("volumeMounts") or container.get("volumeDevices"):
        errors += mounts_errors(container, around.volumes, path)
    errors += required_one_of(container.get("imagePullPolicy"), f"{path}.imagePullPolicy", PULL_POLICIES)
    if container.get("resources"):
        errors += resources_errors(container["resources"], f"{path}.resources", around.claims)
    if container.get("resizePolicy"):
        errors += _resize_errors(container["resizePolicy"], around, f"{path}.resizePolicy")
    if container.get("securityContext"):
        host_users = around.spec.get("hostUsers") is not False
        errors += container_security_errors(
            container["securityContext"], f"{path}.securityContext", host_users=host_users
        )
    return errors


def _lifecycle_errors(container: Object, around: Around, path: str) -> list[FieldError]:
    """Hooks and probes, of those that may have them."""
    errors: list[FieldError] = []
    if container.get("lifecycle"):
        errors += lifecycle_errors(container["lifecycle"], around.spec, f"{path}.lifecycle")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe):
            errors += probe_errors(container[probe], probe, f"{path}.{probe}")
    return errors


def _resize_errors(policies: list[Object], around: Around, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, each in enumerate(policies):
        resource, restart = each.get("resourceName") or "", each.get("restartPolicy") or ""
        if resource in [other.get("resourceName") for other in policies[:index]]:
            errors.append(duplicate(f"{path}[{index}]", resource))
        errors += required_one_of(resource, path, RESIZE_RESOURCES)
        errors += required_one_of(restart, path, RESIZE_POLICIES)
        if around.spec.get("restartPolicy") == "Never" and restart != "NotRequired":
            detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            errors.append(invalid(path, restart, detail))
    return errors


def _restart_errors(container: Object, path: str) -> list[FieldError]:
    """When a container is restarted, beside what the pod says."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or []
    if policy is None and rules:
        return [required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")]
    errors = one_of(policy, f"{path}.restartPolicy", RESTARTS)
    if len(rules) > 20:
        errors.append(too_many(f"{path}.restartPolicyRules", len(rules), 20))
    for index, rule in enumerate(rules):
        at, codes, action = f"{path}.restartPolicyRules[{index}]", rule.get("exitCodes"), rule.get("action") or ""
        if action not in RULE_ACTIONS:
            errors.append(not_supported(f"{at}.action", action, RULE_ACTIONS))
        if codes is None:
            errors.append(required(f"{at}.exitCodes", "must be specified"))
            continue
        if codes.get("operator") not in EXIT_CODES:
            errors.append(not_supported(f"{at}.exitCodes.operator", codes.get("operator") or "", EXIT_CODES))
        if len(codes.get("values") or ()) > 255:
            errors.append(too_many(f"{at}.exitCodes.values", len(codes["values"]), 255))
    return errors


def _name_and_image_errors(container: Object, path: str) -> list[FieldError]:
    name = container.get("name") or ""
    errors = [invalid(f"{path}.name", name, each) for each in dns_label_errors(name)] if name else []
    if not name:
        errors.append(required(f"{path}.name"))
    if not container.get("image"):
        errors.append(required(f"{path}.image"))
    return errors


def padded_image_errors(containers: list[Object], path: str) -> list[FieldError]:
    """Images with spaces around them, which templates may have and pods may not."""
    return [
        invalid(f"{path}[{index}].image", each["image"], "must not have leading or trailing whitespace")
        for index, each in enumerate(containers)
        if each.get("image") and each["image"].strip() != each["image"]
    ]


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


def init_containers_errors(containers: list[Object], around: Around, path: str) -> list[FieldError]:
    """What is wrong with init containers; those with restartPolicy Always are sidecars and may have probes."""
    errors: list[FieldError] = []
    names = {each.get("name") or "" for each in around.spec.get("containers") or ()}
    for index, container in enumerate(containers):
        at, name = f"{path}[{index}]", container.get("name") or ""
        errors += container_errors(container, around, at) + _restart_errors(container, at)
        if name in names:
            errors.append(duplicate(f"{at}.name", name))
        elif name:
            names.add(name)
        errors += _host_port_conflicts([container], path)
        if container.get("restartPolicy") == "Always":
            errors += _lifecycle_errors(container, around, at)
            continue
        for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
            if container.get(key):
                detail = "may not be set for init containers without restartPolicy=Always"
                errors.append(forbidden_field(f"{at}.{key}", detail))
        for number, policy in enumerate(container.get("resizePolicy") or ()):
            if policy.get("restartPolicy") == "RestartContainer":
                detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
                errors.append(invalid(f"{at}.resizePolicy[{number}].restartPolicy", "RestartContainer", detail))
    return errors
