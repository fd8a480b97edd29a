"""Where a container's volumes appear: mounted as directories, or as block devices.

Follows `ValidateVolumeMounts` and `ValidateVolumeDevices` of pkg/apis/core/validation, with its paths: some of what is
said of one mount is said of the list.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubus.model.errors import FieldError, forbidden_field, invalid, not_found_field, not_supported, required
from kubus.model.objects import Object

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
Volumes = Mapping[str, Object]
"""A pod's volumes by name."""


def relative_path_errors(text: str, path: str) -> list[FieldError]:
    """A path that stays below where it starts."""
    if text.startswith("/"):
        return [invalid(path, text, "must be a relative path")]
    return [invalid(path, text, "must not contain '..'")] if ".." in text.split("/") else []


def mounts_errors(container: Object, volumes: Volumes, path: str) -> list[FieldError]:
    """What is wrong with the mounts and devices of a container at `path`."""
    mounts, devices = container.get("volumeMounts") or [], container.get("volumeDevices") or []
    errors: list[FieldError] = []
    for index in range(len(mounts)):
        errors += _mount_errors(container, index, volumes, f"{path}.volumeMounts")
    for index in range(len(devices)):
        errors += _device_errors(container, index, volumes, f"{path}.volumeDevices")
    return errors


def _mount_errors(container: Object, index: int, volumes: Volumes, path: str) -> list[FieldError]:
    mount, before = container["volumeMounts"][index], container["volumeMounts"][:index]
    devices = container.get("volumeDevices") or []
    at, name, target = f"{path}[{index}]", mount.get("name") or "", mount.get("mountPath") or ""
    errors = [] if name else [required(f"{at}.name")]
    if name not in volumes:
        errors.append(not_found_field(f"{at}.name", name))
    if not target:
        errors.append(required(f"{at}.mountPath"))
    if target in [each.get("mountPath") or "" for each in before]:
        errors.append(invalid(f"{at}.mountPath", target, "must be unique"))
    if name in [each.get("name") for each in devices]:
        errors.append(invalid(f"{at}.name", name, "must not already exist in volumeDevices"))
    if target in [each.get("devicePath") for each in devices]:
        errors.append(invalid(f"{at}.mountPath", target, "must not already exist as a path in volumeDevices"))
    part, expression = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    errors += relative_path_errors(part, f"{path}.subPath")
    if part and expression:
        errors.append(invalid(f"{at}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive"))
    errors += relative_path_errors(expression, f"{path}.subPathExpr")
    return errors + _propagation_errors(container, mount, path)


def _propagation_errors(container: Object, mount: Object, path: str) -> list[FieldError]:
    propagation, recursive = mount.get("mountPropagation"), mount.get("recursiveReadOnly")
    errors: list[FieldError] = []
    if propagation is not None and propagation not in PROPAGATIONS:
        errors.append(not_supported(f"{path}.mountPropagation", propagation, PROPAGATIONS))
    elif propagation == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
        detail = "Bidirectional mount propagation is available only to privileged containers"
        errors.append(forbidden_field(f"{path}.mountPropagation", detail))
    if recursive in ("Enabled", "IfPossible"):
        at = f"{path}.recursiveReadOnly"
        if not mount.get("readOnly"):
            errors.append(forbidden_field(at, "may only be specified when readOnly is true"))
        if propagation not in (None, "None"):
            errors.append(forbidden_field(at, "may only be specified when mountPropagation is None or not specified"))
    elif recursive not in (None, "Disabled"):
        modes = ("Disabled", "IfPossible", "Enabled")
        errors.append(not_supported(f"{path}.recursiveReadOnly", recursive, modes))
    return errors


def _device_errors(container: Object, index: int, volumes: Volumes, path: str) -> list[FieldError]:
    device, before = container["volumeDevices"][index], container["volumeDevices"][:index]
    mounts = container.get("volumeMounts") or []
    at, name, target = f"{path}[{index}]", device.get("name") or "", device.get("devicePath") or ""
    errors = [] if name else [required(f"{at}.name")]
    if name and name in [each.get("name") for each in before]:
        errors.append(invalid(f"{at}.name", name, "must be unique"))
    if name not in volumes:
        errors.append(not_found_field(f"{at}.name", name))
    elif not {"persistentVolumeClaim", "ephemeral"} & volumes[name].keys():
        detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        errors.append(invalid(f"{at}.name", name, detail))
    if not target:
        errors.append(required(f"{at}.devicePath"))
    if target in [each.get("devicePath") or "" for each in before]:
        errors.append(invalid(f"{at}.devicePath", target, "must be unique"))
    if ".." in target.split("/"):
        errors.append(invalid(f"{at}.devicePath", target, "can not contain backsteps ('..')"))
    if name in [each.get("name") for each in mounts]:
        errors.append(invalid(f"{at}.name", name, "must not already exist in volumeMounts"))
    if target and target in [each.get("mountPath") for each in mounts]:
        errors.append(invalid(f"{at}.devicePath", target, "must not already exist as a path in volumeMounts"))
    return errors
