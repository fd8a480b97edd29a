"""Volumes of a pod: exactly one source each, and the sources that pods commonly use.

Follows the volume part of pkg/apis/core/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, duplicate, forbidden_field, invalid, not_supported, required, too_long
from kubus.model.names import config_key_errors, dns_label_errors, dns_subdomain_errors
from kubus.model.objects import Object
from kubus.model.quantities import parse_quantity
from kubus.model.validation.mounts import relative_path_errors
from kubus.model.validation.storage import claim_spec_errors
from kubus.model.validation.values import one_of
from kubus.model.validation.variables import field_ref_errors, resource_ref_errors

PROJECTIONS = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
DOWNWARD_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
DRIVER_CHARS_MAX = 63
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
        case "nfs":
            errors += _nfs_errors(source, at)
        case "csi":
            errors += _csi_errors(source, at)
        case "ephemeral":
            errors += _ephemeral_errors(source, at)
        case "image":
            errors += [] if source.get("reference") else [required(f"{at}.reference")]
            errors += one_of(source.get("pullPolicy"), f"{at}.pullPolicy", PULL_POLICIES)
    return errors


def _nfs_errors(source: Object, path: str) -> list[FieldError]:
    errors = [required(f"{path}.{key}") for key in ("server", "path") if not source.get(key)]
    target = source.get("path") or "/"
    if not target.startswith("/"):
        errors.append(invalid(f"{path}.path", target, "must be an absolute path"))
    return errors


def _csi_errors(source: Object, path: str) -> list[FieldError]:
    driver, at = source.get("driver") or "", f"{path}.driver"
    errors = [] if driver else [required(at)]
    if len(driver) > DRIVER_CHARS_MAX:
        errors.append(too_long(at, DRIVER_CHARS_MAX))
    errors += [invalid(at, driver, each) for each in dns_subdomain_errors(driver.lower())] if driver else []
    secret = source.get("nodePublishSecretRef")
    if secret is not None and not secret.get("name"):
        errors.append(required(f"{path}.nodePublishSecretRef.name"))
    return errors


def _ephemeral_errors(source: Object, path: str) -> list[FieldError]:
    template = source.get("volumeClaimTemplate")
    if template is None:
        return [required(f"{path}.volumeClaimTemplate")]
    return claim_spec_errors(template.get("spec") or {}, f"{path}.volumeClaimTemplate.spec")


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
    if seconds > 1 << 32:
        detail = "may not specify a duration larger than 2^32 seconds"
        errors.append(invalid(f"{path}.expirationSeconds", seconds, detail))
    return errors
