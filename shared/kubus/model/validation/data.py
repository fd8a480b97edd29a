"""ConfigMaps and Secrets: keys, sizes, required keys, immutability."""

from __future__ import annotations

from kubus.model.codec import DecodeError, from_json
from kubus.model.errors import FieldError, forbidden_field, invalid, required, too_long
from kubus.model.names import config_key_errors
from kubus.model.objects import Object, annotations_of
from kubus.model.validation.values import immutable

SIZE_MAX = 1024 * 1024
SEALED = "field is immutable when `immutable` is set"
REQUIRED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
ACCOUNT = "kubernetes.io/service-account.name"


def config_map_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    errors = _key_errors(data, "data") + _key_errors(binary, "binaryData")
    errors += [invalid(f"data[{key}]", key, "duplicate of key present in binaryData") for key in data if key in binary]
    size = sum(len(value.encode()) for value in data.values()) + sum(_decoded_size(value) for value in binary.values())
    if size > SIZE_MAX:
        errors.append(too_long("[]", SIZE_MAX))
    return errors + _sealed_errors(obj, old, ("data", "binaryData"))


def secret_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a Secret."""
    data = obj.get("data") or {}
    errors = _key_errors(data, "data")
    if sum(_decoded_size(value) for value in data.values()) > SIZE_MAX:
        errors.append(too_long("data", SIZE_MAX))
    errors += _type_errors(obj, data)
    if old is not None:
        errors += immutable(obj.get("type") or "", old.get("type") or "", "type")
    return errors + _sealed_errors(obj, old, ("data",))


def _key_errors(data: dict[str, str], path: str) -> list[FieldError]:
    return [invalid(f"{path}[{key}]", key, each) for key in data for each in config_key_errors(key)]


def _decoded_size(encoded: str) -> int:
    return len(encoded) * 3 // 4 - encoded[-2:].count("=")


def _type_errors(obj: Object, data: dict[str, str]) -> list[FieldError]:
    kind = obj.get("type") or ""
    if kind == "kubernetes.io/service-account-token" and not annotations_of(obj).get(ACCOUNT):
        return [required(f"metadata.annotations[{ACCOUNT}]")]
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        return [required("data[username]"), required("data[password]")]
    errors = [required(f"data[{key}]") for key in REQUIRED_KEYS.get(kind, ()) if key not in data]
    if kind == "kubernetes.io/ssh-auth" and not errors and not data["ssh-privatekey"]:
        errors.append(required("data[ssh-privatekey]"))
    if kind.startswith("kubernetes.io/docker") and not errors:
        key = REQUIRED_KEYS[kind][0] if kind in REQUIRED_KEYS else ""
        if key and not _is_json(data[key]):
            errors.append(invalid(f"data[{key}]", "<secret contents redacted>", "invalid character"))
    return errors


def _is_json(encoded: str) -> bool:
    from base64 import b64decode  # here: needed for image pull secrets only

    try:
        from_json(b64decode(encoded))
    except (DecodeError, ValueError):
        return False
    return True


def _sealed_errors(obj: Object, old: Object | None, keys: tuple[str, ...]) -> list[FieldError]:
    if old is None or not old.get("immutable"):
        return []
    errors = [] if obj.get("immutable") else [forbidden_field("immutable", SEALED)]
    changed = [key for key in keys if (obj.get(key) or {}) != (old.get(key) or {})]
    return errors + [forbidden_field(key, SEALED) for key in changed]
