"""What stands in ConfigMap, Secret, projected and downwardAPI volumes: pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from kubus.model.objects import Object, namespace_of
from kubus_kubelet.references import ConfigError, Reference, Resolved, field_value, resource_value

DEFAULT_MODE = 0o644
TOKEN_SECONDS = 3600
TOKEN_MODE = 0o600


class File(NamedTuple):
    """One file of a volume."""

    data: bytes
    mode: int
    owner: int | None = None
    """User id; None is root."""


Payload = dict[str, File]
"""Files by relative path."""


def has_payload(volume: Object) -> bool:
    """Whether the volume is filled by the kubelet."""
    return any(kind in volume for kind in ("configMap", "secret", "projected", "downwardAPI"))


def is_secret(volume: Object) -> bool:
    """Whether the volume must not touch a disk."""
    sources = (volume.get("projected") or {}).get("sources") or ()
    return "secret" in volume or any("secret" in each or "serviceAccountToken" in each for each in sources)


def payload(volume: Object, resolved: Resolved) -> Payload:
    """The files of a volume.

    Raises:
        ConfigError: what it refers to does not exist.
    """
    if "configMap" in volume:
        return _keys(volume["configMap"], Reference("configmap", volume["configMap"]["name"]), None, resolved)
    if "secret" in volume:
        return _keys(volume["secret"], Reference("secret", volume["secret"]["secretName"]), None, resolved)
    if "downwardAPI" in volume:
        return _downward(volume["downwardAPI"], None, resolved)
    projected = volume["projected"]
    mode = projected.get("defaultMode", DEFAULT_MODE)
    files: Payload = {}
    for source in projected.get("sources") or ():
        files.update(_projected(source, mode, resolved))
    return files


def _projected(source: Object, mode: int, resolved: Resolved) -> Payload:
    if "configMap" in source:
        return _keys(source["configMap"], Reference("configmap", source["configMap"]["name"]), mode, resolved)
    if "secret" in source:
        return _keys(source["secret"], Reference("secret", source["secret"]["name"]), mode, resolved)
    if "downwardAPI" in source:
        return _downward(source["downwardAPI"], mode, resolved)
    if "serviceAccountToken" in source:
        wanted = token_key(source["serviceAccountToken"])
        if wanted not in resolved.tokens:
            raise ConfigError("the service account token could not be fetched")
        return {source["serviceAccountToken"]["path"]: _token_file(resolved.tokens[wanted], mode, resolved.pod)}
    raise ConfigError(f"projected volume with an unsupported source: {', '.join(source)}")


def _token_file(token: str, mode: int, pod: Object) -> File:
    """A token's file: for the pod's one user or its group alone where it has one, as Kubernetes' kubelet does."""
    user, group = only_user(pod), (pod["spec"].get("securityContext") or {}).get("fsGroup")
    alone = user is not None or group is not None
    return File(token.encode(), TOKEN_MODE if alone else mode, user)


def only_user(pod: Object) -> int | None:
    """The runAsUser of all of a pod's containers; None where one has none or they differ."""
    whole = (pod["spec"].get("securityContext") or {}).get("runAsUser")
    containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    users = {(each.get("securityContext") or {}).get("runAsUser", whole) for each in containers}
    return int(user) if len(users) == 1 and (user := users.pop()) is not None else None


def token_key(source: Object) -> tuple[str, int]:
    """(audience, lifetime in seconds) of a projected ServiceAccount token."""
    return source.get("audience") or "", int(source.get("expirationSeconds") or TOKEN_SECONDS)


def token_keys(pod: Object) -> set[tuple[str, int]]:
    """Every token that the pod's volumes ask for."""
    return {
        token_key(source["serviceAccountToken"])
        for volume in pod["spec"].get("volumes") or ()
        for source in (volume.get("projected") or {}).get("sources") or ()
        if "serviceAccountToken" in source
    }


def _keys(source: Object, reference: Reference, mode: int | None, resolved: Resolved) -> Payload:
    optional = bool(source.get("optional"))
    data = resolved.data(reference, optional=optional)
    default = int(source.get("defaultMode", DEFAULT_MODE) if mode is None else mode)
    items = source.get("items")
    if not items:
        return {key: File(value, default) for key, value in data.items()}
    files: Payload = {}
    for item in items:
        if item["key"] in data:
            files[item["path"]] = File(data[item["key"]], int(item.get("mode") or default))
        elif not optional:
            where = f"{namespace_of(resolved.pod)}/{reference.name}"
            raise ConfigError(f"references non-existent {reference.source} key: {item['key']} ({where})")
    return files


def _downward(source: Object, mode: int | None, resolved: Resolved) -> Payload:
    default = int(source.get("defaultMode", DEFAULT_MODE) if mode is None else mode)
    return {
        item["path"]: File(_downward_text(item, resolved).encode(), int(item.get("mode") or default))
        for item in source.get("items") or ()
    }


def _downward_text(item: dict[str, Any], resolved: Resolved) -> str:
    if "fieldRef" in item:
        return field_value(item["fieldRef"]["fieldPath"], resolved)
    reference = item["resourceFieldRef"]
    for container in resolved.pod["spec"]["containers"]:
        if container["name"] == reference.get("containerName"):
            return resource_value(reference, container, resolved)
    raise ConfigError(f"container {reference.get('containerName')} not found")
