"""What a pod refers to: ConfigMaps and Secrets by name, and fields of itself; pure.

The driver fetches what `references` names and hands it in as `Resolved`, so that building environments and
volumes stays a function of values.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from kubus.model.objects import Object, annotations_of, labels_of, metadata, name_of, namespace_of, uid_of
from kubus.model.quantities import parse_quantity

Source = Literal["configmap", "secret"]


class Reference(NamedTuple):
    """One ConfigMap or Secret of the pod's namespace."""

    source: Source
    name: str


class ConfigError(Exception):
    """A container cannot be configured: what it refers to is missing or makes no sense."""


@dataclass(frozen=True)
class Resolved:
    """What references stand for; None is what does not exist."""

    pod: Object
    address: str = ""
    host_ip: str = ""
    node_cpu_millis: int = 1000
    node_memory_bytes: int = 0
    objects: Mapping[Reference, Object | None] = field(default_factory=dict)
    tokens: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """ServiceAccount tokens by audience and lifetime in seconds."""
    extra_env: Mapping[str, str] = field(default_factory=dict)
    """Variables every container gets first: where the API is."""

    def data(self, reference: Reference, *, optional: bool) -> dict[str, bytes]:
        """The keys and values of a ConfigMap or Secret; {} for a missing one that is optional.

        Raises:
            ConfigError: it does not exist.
        """
        obj = self.objects.get(reference)
        if obj is None:
            if optional:
                return {}
            raise ConfigError(f'{reference.source} "{reference.name}" not found')
        return object_data(reference.source, obj)


def object_data(source: Source, obj: Object) -> dict[str, bytes]:
    """The keys and values of a ConfigMap or Secret."""
    plain = obj.get("data") or {}
    if source == "secret":
        return {key: _decoded(value) for key, value in plain.items()}
    binary = obj.get("binaryData") or {}
    return {key: value.encode() for key, value in plain.items()} | {key: _decoded(text) for key, text in binary.items()}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ConfigError(f"value is not base64: {error}") from None


def references(pod: Object) -> set[Reference]:
    """Every ConfigMap and Secret that the pod's containers and volumes name."""
    spec = pod["spec"]
    found: set[Reference] = set()
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            found.update(container_references(container))
    for volume in spec.get("volumes") or ():
        found.update(volume_references(volume))
    return found


def container_references(container: Object) -> Iterator[Reference]:
    """What one container's environment names."""
    for each in container.get("envFrom") or ():
        if "configMapRef" in each:
            yield Reference("configmap", each["configMapRef"]["name"])
        if "secretRef" in each:
            yield Reference("secret", each["secretRef"]["name"])
    for each in container.get("env") or ():
        value = each.get("valueFrom") or {}
        if "configMapKeyRef" in value:
            yield Reference("configmap", value["configMapKeyRef"]["name"])
        if "secretKeyRef" in value:
            yield Reference("secret", value["secretKeyRef"]["name"])


def volume_references(volume: Object) -> Iterator[Reference]:
    """What one volume names."""
    if "configMap" in volume:
        yield Reference("configmap", volume["configMap"]["name"])
    if "secret" in volume:
        yield Reference("secret", volume["secret"]["secretName"])
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "configMap" in source:
            yield Reference("configmap", source["configMap"]["name"])
        if "secret" in source:
            yield Reference("secret", source["secret"]["name"])


def shown_fields(pod: Object) -> tuple[dict[str, str], dict[str, str]]:
    """The fields of a pod that volumes may show and users may change."""
    return dict(labels_of(pod)), dict(annotations_of(pod))


def field_value(path: str, resolved: Resolved) -> str:
    """What the downward API gives for a fieldPath.

    Raises:
        ConfigError: pods have no such field, or it is not offered.
    """
    pod = resolved.pod
    plain: dict[str, Callable[[Object], str]] = {
        "metadata.name": name_of,
        "metadata.namespace": namespace_of,
        "metadata.uid": uid_of,
        "spec.nodeName": lambda each: each["spec"].get("nodeName") or "",
        "spec.serviceAccountName": lambda each: each["spec"].get("serviceAccountName") or "",
        "metadata.labels": lambda each: _map_text(labels_of(each)),
        "metadata.annotations": lambda each: _map_text(annotations_of(each)),
    }
    if path in plain:
        return str(plain[path](pod))
    if path in ("status.podIP", "status.podIPs"):
        return resolved.address
    if path in ("status.hostIP", "status.hostIPs"):
        return resolved.host_ip
    for prefix in ("labels", "annotations"):
        if path.startswith(f"metadata.{prefix}['") and path.endswith("']"):
            key = path[len(prefix) + 11 : -2]
            return str((metadata(pod).get(prefix) or {}).get(key, ""))
    raise ConfigError(f"unsupported fieldPath: {path}")


def _map_text(values: Mapping[str, str]) -> str:
    return "\n".join(f'{key}="{_quoted(values[key])}"' for key in sorted(values))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource_value(reference: Object, container: Object, resolved: Resolved) -> str:
    """What the downward API gives for a container's resource, rounded up to the divisor.

    Raises:
        ConfigError: it is not offered.
    """
    resource = reference["resource"]
    part, _, name = resource.partition(".")
    if part not in ("limits", "requests") or not name:
        raise ConfigError(f"unsupported container resource : {resource}")
    given = ((container.get("resources") or {}).get(part) or {}).get(name)
    if given is None:
        whole = {"cpu": f"{resolved.node_cpu_millis}m", "memory": str(resolved.node_memory_bytes)}
        given = whole.get(name, "0") if part == "limits" else "0"
    divisor = str(reference.get("divisor") or "1")
    count = parse_quantity(given) / (parse_quantity(divisor if divisor != "0" else "1"))
    return str(-(-count.numerator // count.denominator))
