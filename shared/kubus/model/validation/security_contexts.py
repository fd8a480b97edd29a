"""What a pod and its containers may be to the kernel: ids, capabilities, profiles, sysctls.

Follows the security context parts of pkg/apis/core/validation.
"""

from __future__ import annotations

import re
from typing import Any

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required, too_long
from kubus.model.objects import Object
from kubus.model.validation.mounts import relative_path_errors
from kubus.model.validation.values import one_of

PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
ID_MAX = 2**31 - 1
ID_RANGE = f"must be between 0 and {ID_MAX}, inclusive"
PROFILE_CHARS_MAX = 4095
SYSCTL_CHARS_MAX = 253
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL_TEXT = rf"^({_SEGMENT}[\./])*{_SEGMENT}$"
_SYSCTL = re.compile(_SYSCTL_TEXT)
_NET, _IPC = ("net.",), ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")


def pod_security_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with the security context of a pod."""
    context = spec.get("securityContext") or {}
    at = f"{path}.securityContext"
    errors: list[FieldError] = []
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        errors += _id_errors(context.get(field), f"{at}.{field}")
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        errors += _id_errors(group, f"{at}.supplementalGroups[{index}]")
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid(f"{at}.shareProcessNamespace", True, detail))
    errors += sysctl_errors(spec, context.get("sysctls") or [], f"{at}.sysctls")
    errors += one_of(context.get("fsGroupChangePolicy"), f"{at}.fsGroupChangePolicy", ("Always", "OnRootMismatch"))
    errors += _profiles_errors(context, at)
    errors += one_of(context.get("supplementalGroupsPolicy"), f"{at}.supplementalGroupsPolicy", ("Merge", "Strict"))
    changes = ("MountOption", "Recursive")
    return errors + one_of(context.get("seLinuxChangePolicy"), f"{at}.seLinuxChangePolicy", changes)


def container_security_errors(context: Object, path: str, *, host_users: bool) -> list[FieldError]:
    """What is wrong with the security context of a container."""
    errors = _id_errors(context.get("runAsUser"), f"{path}.runAsUser")
    errors += _id_errors(context.get("runAsGroup"), f"{path}.runAsGroup")
    mount = context.get("procMount")
    if mount is not None and mount not in ("Default", "Unmasked"):
        errors.append(not_supported(f"{path}.procMount", mount, ("Default", "Unmasked")))
    if mount == "Unmasked" and host_users:
        errors.append(invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`"))
    if context.get("allowPrivilegeEscalation") is False:
        cannot = "cannot set `allowPrivilegeEscalation` to false and"
        if context.get("privileged"):
            errors.append(invalid(path, context, f"{cannot} `privileged` to true"))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            errors.append(invalid(path, context, f"{cannot} `capabilities.Add` CAP_SYS_ADMIN"))
    return errors + _profiles_errors(context, path)


def _id_errors(value: Any, path: str) -> list[FieldError]:
    return [invalid(path, value, ID_RANGE)] if value is not None and not 0 <= value <= ID_MAX else []


def _profiles_errors(context: Object, path: str) -> list[FieldError]:
    seccomp, armor = context.get("seccompProfile"), context.get("appArmorProfile")
    errors = [] if seccomp is None else _seccomp_errors(seccomp, f"{path}.seccompProfile")
    return errors + ([] if armor is None else _armor_errors(armor, f"{path}.appArmorProfile"))


def _type_errors(profile: Object, field: str, path: str) -> list[FieldError]:
    kind = profile.get("type") or ""
    if not kind:
        return [required(f"{path}.type", f"type is required when {field} is set")]
    return [] if kind in PROFILES else [not_supported(f"{path}.type", kind, PROFILES)]


def _seccomp_errors(profile: Object, path: str) -> list[FieldError]:
    errors, at = _type_errors(profile, "seccompProfile", path), f"{path}.localhostProfile"
    local, name = profile.get("type") == "Localhost", profile.get("localhostProfile")
    if name is None:
        return [*errors, required(at, "must be set when seccomp type is Localhost")] if local else errors
    if local:
        errors += relative_path_errors(name, at)
    else:
        shown = {"Type": profile.get("type") or "", "LocalhostProfile": name}
        errors.append(invalid(at, shown, "can only be set when seccomp type is Localhost"))
    return errors


def _armor_errors(profile: Object, path: str) -> list[FieldError]:
    errors, at = _type_errors(profile, "appArmorProfile", path), f"{path}.localhostProfile"
    name = profile.get("localhostProfile")
    if profile.get("type") != "Localhost":
        if name is not None and not errors:
            errors.append(invalid(at, name, "can only be set when AppArmor type is Localhost"))
        return errors
    if name is None or (not name.strip() and name == name.strip()):
        return [*errors, required(at, "must be set when AppArmor type is Localhost")]
    if name != name.strip():
        errors.append(invalid(at, name, "must not be padded with whitespace"))
    if len(name.encode()) > PROFILE_CHARS_MAX:
        errors.append(too_long(at, PROFILE_CHARS_MAX))
    return errors


def sysctl_errors(spec: Object, sysctls: list[Object], path: str) -> list[FieldError]:
    """Names of kernel parameters: well-formed, once each, and none of a namespace that is the host's."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, sysctl in enumerate(sysctls):
        at, name = f"{path}[{index}].name", sysctl.get("name") or ""
        if not name:
            errors.append(required(at))
        elif len(name) > SYSCTL_CHARS_MAX or not _SYSCTL.fullmatch(name):
            detail = f"must have at most {SYSCTL_CHARS_MAX} characters and match regex {_SYSCTL_TEXT}"
            errors.append(invalid(at, name, detail))
        elif name in names:
            errors.append(duplicate(at, name))
        plain = name.replace("/", ".")
        if spec.get("hostNetwork") and plain.startswith(_NET):
            errors.append(invalid(at, name, "may not be specified when 'hostNetwork' is true"))
        elif spec.get("hostIPC") and plain.startswith(_IPC):
            errors.append(invalid(at, name, "may not be specified when 'hostIPC' is true"))
        names.add(name)
    return errors


def host_users_errors(spec: Object, path: str) -> list[FieldError]:
    """A pod with users of its own shares no other namespace with the host, and has no block devices."""
    if spec.get("hostUsers") is not False:
        return []
    detail = "when `hostUsers` is false"
    shared = (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC"))
    errors = [forbidden_field(f"{path}.{shown}", detail) for field, shown in shared if spec.get(field)]
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(key) or ()):
            if container.get("volumeDevices"):
                errors.append(forbidden_field(f"{path}.{key}[{index}].volumeDevices", detail))
    return errors
