"""Volumes of a pod: exactly one source each, and the sources that pods commonly use.

Follows the volume part of pkg/apis/core/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from kubus.model.names import config_key_errors, dns_label_errors
from kubus.model.objects import Object
from kubus.model.quantities import canonical, parse_quantity
from kubus.model.validation.mounts import relative_path_errors
from kubus.model.validation.values import NOT_NEGATIVE
from kubus.model.validation.variables import field_ref_errors, resource_ref_errors

PROJECTIONS = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
DOWNWARD_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
MODE_RANGE = "must be a number between 0 and 0777 (octal), both inclusive"


def volumes_errors(volumes: list[Object], path: str) -> list[FieldError]:
    """What is wrong with a pod's volumes."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        at, name = f"{path}[{index}]", volume.get("name") or ""
        if not name:
            errors.append(required(f"{at}.name"))
        else:
            errors += [invalid(f"{at}.name", name, each) for each in dns_label_errors(name)]
        if name and name in names:
            errors.append(duplicate(f"{at}.name", name))
        names.add(name)
        errors += _source_errors(volume, at)
    return errors


def _source_errors(volume: Object, path: str) -> list[FieldError]:
    given = [key for key in volume if key != "name"]
    if not given:
        return [required(path, "must specify a volume type")]
    errors = [forbidden_field(f"{path}.{key}", "may not specify more than 1 volume type") for key in given[1:]]
    source, at = volume[given[0]], f"{path}.{given[0]}"
    match given[0]:
        case "emptyDir":
            errors += _empty_dir_errors(source, at)
        case "hostPath":
            errors += _host_path_errors(source, at)
        case "secret":
            errors += [] if source.get("secretName") else [required(f"{at}.secretName")]
            errors += _items_errors(source, at)
        case "configMap":
            errors += [] if source.get("name") else [required(f"{at}.name")]
            errors += _items_errors(source, at)
        case "persistentVolumeClaim":
            errors += [] if source.get("claimName") else [required(f"{at}.claimName")]
        case "downwardAPI":
            errors += _downward_errors(source, at)
        case "projected":
            errors += _projected_errors(source, at)
    return errors


def _empty_dir_errors(source: Object, path: str) -> list[FieldError]:
    limit = source.get("sizeLimit")
    if limit is not None and parse_quantity(limit) < 0:
        return [forbidden_field(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def _host_path_errors(source: Object, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    target = source.get("path") or ""
    if not target:
        errors.append(required(f"{path}.path"))
    elif ".." in target.split("/"):
        errors.append(invalid(f"{path}.path", target, "must not contain '..'"))
    kind = source.get("type")
    if kind is not None and kind not in HOST_PATH_TYPES:
        errors.append(not_supported(f"{path}.type", kind, HOST_PATH_TYPES))
    return errors


def _mode_errors(mode: int | None, path: str) -> list[FieldError]:
    return [invalid(path, mode, MODE_RANGE)] if mode is not None and not 0 <= mode <= 0o777 else []


def _items_errors(source: Object, path: str) -> list[FieldError]:
    """Keys of a Secret or ConfigMap, and the files they become."""
    errors = _mode_errors(source.get("defaultMode"), f"{path}.defaultMode")
    for index, item in enumerate(source.get("items") or ()):
        at, key, target = f"{path}.items[{index}]", item.get("key") or "", item.get("path") or ""
        errors += (
            [invalid(f"{at}.key", key, each) for each in config_key_errors(key)] if key else [required(f"{at}.key")]
        )
        errors += _target_errors(target, f"{at}.path")
        errors += _mode_errors(item.get("mode"), f"{at}.mode")
    return errors


def _target_errors(target: str, path: str) -> list[FieldError]:
    return relative_path_errors(target, path) if target else [required(path)]


def _downward_errors(source: Object, path: str) -> list[FieldError]:
    errors = _mode_errors(source.get("defaultMode"), f"{path}.defaultMode")
    for index, item in enumerate(source.get("items") or ()):
        at = f"{path}.items[{index}]"
        errors += _target_errors(item.get("path") or "", f"{at}.path")
        if item.get("fieldRef") is not None:
            if item.get("resourceFieldRef") is not None:
                errors.append(
                    invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
                )
            errors += field_ref_errors(item["fieldRef"], f"{at}.fieldRef", DOWNWARD_FIELDS)
        elif item.get("resourceFieldRef") is not None:
            errors += resource_ref_errors(item["resourceFieldRef"], f"{at}.resourceFieldRef", of_volume=True)
        else:
            errors.append(required(at, "one of fieldRef and resourceFieldRef is required"))
        errors += _mode_errors(item.get("mode"), f"{at}.mode")
    return errors


def _projected_errors(source: Object, path: str) -> list[FieldError]:
    errors = _mode_errors(source.get("defaultMode"), f"{path}.defaultMode")
    for index, each in enumerate(source.get("sources") or ()):
        at = f"{path}.sources[{index}]"
        given = [key for key in PROJECTIONS if each.get(key) is not None]
        if not given:
            errors.append(required(at, "must specify a projected volume source"))
        errors += [forbidden_field(f"{at}.{key}", "may not specify more than 1 volume type") for key in given[1:]]
        for key in given[:1]:
            errors += _projection_errors(key, each[key], f"{at}.{key}")
    return errors


def _projection_errors(key: str, source: Object, path: str) -> list[FieldError]:
    if key in ("secret", "configMap"):
        missing = [] if source.get("name") else [required(f"{path}.name")]
        return missing + _items_errors(source, path)
    if key == "downwardAPI":
        return _downward_errors(source, path)
    if key != "serviceAccountToken":
        return []
    errors = _target_errors(source.get("path") or "", f"{path}.path")
    seconds = source.get("expirationSeconds", 3600)
    if seconds < 600:
        errors.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    return errors


def size_errors(amount: str, path: str) -> list[FieldError]:
    """A size that must be above zero."""
    value = parse_quantity(amount)
    if value < 0:
        return [invalid(path, canonical(amount), NOT_NEGATIVE)]
    return [invalid(path, canonical(amount), "must be greater than zero")] if value == 0 else []
