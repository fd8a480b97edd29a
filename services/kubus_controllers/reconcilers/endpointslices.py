"""EndpointSlice: the addresses behind a Service, in pieces of at most a hundred.

An endpoint stays in the slice where it is, so that one pod's change rewrites one slice. Endpoints that are new fill
the slices that have room; what then remains goes into new ones. Pods that serve the Service's ports under different
numbers go into different slices.

Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kubus.machinery.plans import Action, Controller, Create, Delete, Plan, Update, View
from kubus.model.kinds.endpointslices import KIND as SLICES
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object, is_deleting, labels_of, metadata, name_of, namespace_of, path_of, uid_of
from kubus_controllers.reconcilers.names import child_name, suffix
from kubus_controllers.reconcilers.service_endpoints import (
    INDEXES,
    PODS_WAKE_SERVICES,
    Endpoint,
    Port,
    endpoints_of,
    host_name,
    owner_of,
    ports_for,
    service_labels,
    target_reference,
)

SLICE_SIZE_MAX = 100
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"


def reconcile(service: Object, view: View, now: datetime) -> Plan:
    """The slices that are to be written, made or removed."""
    if is_deleting(service) or not _has_slices(service):
        return Plan()
    slices = sorted(
        (s for s in view.owned(SLICES, uid_of(service)) if labels_of(s).get(MANAGED_BY) == MANAGER), key=name_of
    )
    wanted: dict[tuple[Port, ...], dict[str, dict[str, Any]]] = {}
    for endpoint in endpoints_of(service, view):
        ports = ports_for(service, endpoint.pod)
        wanted.setdefault(ports, {})[uid_of(endpoint.pod)] = _rendered(endpoint, service)
    if not wanted:
        wanted[ports_for(service, {})] = {}  # as pods with numbered ports will have it: their slice is there already
    actions: list[Action] = []
    for ports, endpoints in sorted(wanted.items()):
        here = [each for each in slices if each.get("ports", []) == _rendered_ports(ports)]
        actions += _place(service, ports, endpoints, here, {name_of(each) for each in slices})
    unused = [each for each in slices if each.get("ports", []) not in [_rendered_ports(ports) for ports in wanted]]
    actions += [Delete(SLICES, namespace_of(each), name_of(each), uid_of(each)) for each in unused]
    return Plan(tuple(actions))


def _has_slices(service: Object) -> bool:
    return bool(path_of(service, "spec", "selector")) and path_of(service, "spec", "type") != "ExternalName"


def _place(
    service: Object,
    ports: tuple[Port, ...],
    endpoints: dict[str, dict[str, Any]],
    here: Sequence[Object],
    taken: set[str],
) -> list[Action]:
    """Endpoints of one set of ports, spread over their slices."""
    left = dict(endpoints)
    contents = []
    for each in here:
        uids = [path_of(endpoint, "targetRef", "uid", default="") for endpoint in each.get("endpoints") or ()]
        contents.append([left.pop(uid) for uid in uids if uid in left])
    fresh = list(left.values())
    for content in contents:
        room = SLICE_SIZE_MAX - len(content)
        content.extend(fresh[:room])
        fresh = fresh[room:]
    actions: list[Action] = []
    for number, (each, content) in enumerate(zip(here, contents, strict=True)):
        needed = content or (number == 0 and not endpoints)
        actions += _update(service, each, content) if needed else _remove(each)
    if not here and not endpoints:
        return [_create(service, ports, [], taken)]
    while fresh:
        actions.append(_create(service, ports, fresh[:SLICE_SIZE_MAX], taken))
        fresh = fresh[SLICE_SIZE_MAX:]
    return actions


def _update(service: Object, each: Object, content: list[dict[str, Any]]) -> list[Action]:
    labels = _labels(service)
    if (each.get("endpoints") or []) == content and labels_of(each) == labels:
        return []
    return [Update(SLICES, {**each, "metadata": {**metadata(each), "labels": labels}, "endpoints": content})]


def _remove(each: Object) -> list[Action]:
    return [Delete(SLICES, namespace_of(each), name_of(each), uid_of(each))]


def _create(service: Object, ports: tuple[Port, ...], content: list[dict[str, Any]], taken: set[str]) -> Create:
    number = 0
    while (name := child_name(name_of(service), suffix(uid_of(service), number))) in taken:
        number += 1
    taken.add(name)
    meta = {
        "name": name,
        "generateName": f"{name_of(service)}-",
        "namespace": namespace_of(service),
        "labels": _labels(service),
        "ownerReferences": [owner_of(service)],
    }
    return Create(
        SLICES,
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": meta,
            "addressType": "IPv4",
            "ports": _rendered_ports(ports),
            "endpoints": content,
        },
    )


def _labels(service: Object) -> dict[str, str]:
    extra = [(SERVICE_NAME, name_of(service)), (MANAGED_BY, MANAGER)]
    if path_of(service, "spec", "clusterIP") == "None":
        extra.append((HEADLESS, ""))
    return service_labels(service, extra)


def _rendered(endpoint: Endpoint, service: Object) -> dict[str, Any]:
    conditions = {"ready": endpoint.ready, "serving": endpoint.serving, "terminating": endpoint.terminating}
    rendered: dict[str, Any] = {
        "addresses": [endpoint.address],
        "conditions": conditions,
        "targetRef": target_reference(endpoint.pod),
    }
    if node := path_of(endpoint.pod, "spec", "nodeName"):
        rendered["nodeName"] = node
    if name := host_name(endpoint.pod, service):
        rendered["hostname"] = name
    return rendered


def _rendered_ports(ports: tuple[Port, ...]) -> list[dict[str, Any]]:
    rendered = []
    for port in ports:
        each: dict[str, Any] = {"name": port.name, "protocol": port.protocol, "port": port.port}
        if port.app_protocol:
            each["appProtocol"] = port.app_protocol
        rendered.append(each)
    return rendered


CONTROLLER = Controller(
    name="endpointslice-controller",
    reconciles=SERVICES,
    reconcile=reconcile,
    owns=(SLICES,),
    watches=(PODS_WAKE_SERVICES,),
    indexes=INDEXES,
)
