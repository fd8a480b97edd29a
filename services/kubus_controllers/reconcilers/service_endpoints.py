"""Which pods stand behind a Service, and on which ports: what EndpointSlice and Endpoints share.

Pods are found by an index of their labels, so that the work is proportional to the Service's own pods and not to
the namespace's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kubus.machinery.plans import Index, View, Watch
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Key, Object, is_deleting, labels_of, metadata, name_of, namespace_of, path_of, uid_of
from kubus_controllers.reconcilers.pods_of import is_finished, is_ready

BY_LABEL = "label"
BY_SELECTOR = "selector"


class Endpoint(NamedTuple):
    """One pod behind a Service."""

    pod: Object
    address: str
    ready: bool
    serving: bool
    terminating: bool


class Port(NamedTuple):
    """A Service's port as one pod serves it."""

    name: str
    protocol: str
    port: int
    app_protocol: str


def labels_index(pod: Object) -> list[str]:
    """`namespace/label=value` for every label of a pod."""
    namespace = namespace_of(pod)
    return [f"{namespace}/{label}={value}" for label, value in labels_of(pod).items()]


def selector_index(service: Object) -> list[str]:
    """`namespace/label=value` for one pair of a Service's selector: enough to find it by a pod's labels."""
    selector = path_of(service, "spec", "selector", default={})
    return [f"{namespace_of(service)}/{label}={value}" for label, value in sorted(selector.items())[:1]]


def endpoints_of(service: Object, view: View) -> list[Endpoint]:
    """The pods behind a Service that have an address, in order of name."""
    selector = path_of(service, "spec", "selector", default={})
    hinted = selector_index(service)
    if not hinted:
        return []
    every = path_of(service, "spec", "publishNotReadyAddresses", default=False)
    found = []
    for pod in view.indexed(PODS, BY_LABEL, hinted[0]):
        address = path_of(pod, "status", "podIP", default="")
        if not address or is_finished(pod) or not selector.items() <= labels_of(pod).items():
            continue
        ready, leaving = is_ready(pod), is_deleting(pod)
        found.append(Endpoint(pod, address, every or (ready and not leaving), ready, leaving))
    return sorted(found, key=lambda each: name_of(each.pod))


def ports_for(service: Object, pod: Object) -> tuple[Port, ...]:
    """The Service's ports as the pod serves them; a named target that the pod does not have is left out."""
    ports = []
    for port in path_of(service, "spec", "ports", default=()):
        number = target_port(port, pod)
        if number:
            ports.append(Port(port.get("name", ""), port.get("protocol", "TCP"), number, port.get("appProtocol", "")))
    return tuple(ports)


def target_port(port: dict[str, Any], pod: Object) -> int:
    """The number that a port of a Service has in a pod; 0 if the pod has no port of that name."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    protocol = port.get("protocol", "TCP")
    sidecars = [c for c in path_of(pod, "spec", "initContainers", default=()) if c.get("restartPolicy") == "Always"]
    for container in [*path_of(pod, "spec", "containers", default=()), *sidecars]:
        for each in container.get("ports") or ():
            if each.get("name") == target and each.get("protocol", "TCP") == protocol:
                return int(each["containerPort"])
    return 0


def target_reference(pod: Object) -> dict[str, str]:
    """The targetRef of a pod's endpoint."""
    return {"kind": "Pod", "namespace": namespace_of(pod), "name": name_of(pod), "uid": uid_of(pod)}


def host_name(pod: Object, service: Object) -> str:
    """The name that DNS gives a pod of a headless Service, or ""."""
    subdomain = path_of(pod, "spec", "subdomain", default="")
    return path_of(pod, "spec", "hostname", default="") if subdomain == name_of(service) else ""


def services_of(pod: Object, view: View) -> list[Key]:
    """The Services that a pod stands behind."""
    labels = labels_of(pod)
    keys = []
    for value in labels_index(pod):
        for service in view.indexed(SERVICES, BY_SELECTOR, value):
            if path_of(service, "spec", "selector", default={}).items() <= labels.items():
                keys.append(Key(SERVICES.collection, namespace_of(service), name_of(service)))
    return keys


PODS_WAKE_SERVICES = Watch(PODS, services_of)
INDEXES = (Index(PODS, BY_LABEL, labels_index), Index(SERVICES, BY_SELECTOR, selector_index))


def service_labels(service: Object, extra: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The labels of what is derived from a Service: its own and some more."""
    return {**labels_of(service), **dict(extra)}


def owner_of(service: Object) -> dict[str, Any]:
    """The ownerReference to a Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "name": metadata(service)["name"],
        "uid": uid_of(service),
        "controller": True,
        "blockOwnerDeletion": True,
    }
