"""Endpoints: the older form of the addresses behind a Service, one object of its name.

Kept because `kubectl describe service` and older clients read it. At most a thousand addresses are written, and
the object then carries the annotation that says so.

Source: https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubus.machinery.plans import CollectGarbage, Controller, Create, Plan, Update, View, Watch
from kubus.model.kinds.endpoints import KIND as ENDPOINTS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import (
    Key,
    Object,
    annotations_of,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    uid_of,
)
from kubus_controllers.reconcilers.service_endpoints import (
    INDEXES,
    PODS_WAKE_SERVICES,
    Endpoint,
    Port,
    endpoints_of,
    host_name,
    ports_for,
    service_labels,
    target_reference,
)

ADDRESSES_MAX = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
HEADLESS = "service.kubernetes.io/headless"


def reconcile(obj: Object, view: View, now: datetime) -> Plan:
    """The one object of a Service, made or brought up to date; or, of Endpoints, whether their Service has gone."""
    return _leftover(obj, view) if obj.get("kind") == ENDPOINTS.name else _kept(obj, view)


def _leftover(endpoints: Object, view: View) -> Plan:
    """Endpoints belong to the Service of their name, without an ownerReference that would say so."""
    namespace, name = namespace_of(endpoints), name_of(endpoints)
    ours = labels_of(endpoints).get(MANAGED_BY) == MANAGER
    if not ours or is_deleting(endpoints) or view.get(SERVICES, namespace, name) is not None:
        return Plan()
    service = ((SERVICES, namespace, name, ""),)
    return Plan((CollectGarbage(ENDPOINTS, namespace, name, uid_of(endpoints), service),))


def _kept(service: Object, view: View) -> Plan:
    there = view.get(ENDPOINTS, namespace_of(service), name_of(service))
    if is_deleting(service):
        return Plan()
    if not path_of(service, "spec", "selector") or path_of(service, "spec", "type") == "ExternalName":
        return Plan()
    found = endpoints_of(service, view)
    subsets = _subsets(service, found[:ADDRESSES_MAX])
    labels = _labels(service)
    annotations = {OVER_CAPACITY: "truncated"} if len(found) > ADDRESSES_MAX else {}
    if there is None:
        meta = {"name": name_of(service), "namespace": namespace_of(service), "labels": labels}
        if annotations:
            meta["annotations"] = annotations
        return Plan(
            (Create(ENDPOINTS, {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets}),)
        )
    kept = {name: value for name, value in annotations_of(there).items() if name != OVER_CAPACITY}
    if (
        (there.get("subsets") or []) == subsets
        and labels_of(there) == labels
        and annotations_of(there) == {**kept, **annotations}
    ):
        return Plan()
    meta = {**metadata(there), "labels": labels, "annotations": {**kept, **annotations}}
    return Plan((Update(ENDPOINTS, {**there, "metadata": meta, "subsets": subsets}),))


def _labels(service: Object) -> dict[str, str]:
    extra = [(MANAGED_BY, MANAGER)]
    if path_of(service, "spec", "clusterIP") == "None":
        extra.append((HEADLESS, ""))
    return service_labels(service, extra)


def _subsets(service: Object, found: list[Endpoint]) -> list[dict[str, Any]]:
    by_ports: dict[tuple[Port, ...], list[Endpoint]] = {}
    for endpoint in found:
        if endpoint.terminating and not path_of(service, "spec", "publishNotReadyAddresses", default=False):
            continue
        by_ports.setdefault(ports_for(service, endpoint.pod), []).append(endpoint)
    subsets = []
    for ports, endpoints in sorted(by_ports.items(), key=lambda item: item[0]):
        subset: dict[str, Any] = {}
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            addresses = [_address(each, service) for each in endpoints if each.ready == ready]
            if addresses:
                subset[field] = addresses
        if ports:
            subset["ports"] = [_port(port) for port in ports]
        subsets.append(subset)
    return subsets


def _address(endpoint: Endpoint, service: Object) -> dict[str, Any]:
    address: dict[str, Any] = {"ip": endpoint.address, "targetRef": target_reference(endpoint.pod)}
    if node := path_of(endpoint.pod, "spec", "nodeName"):
        address["nodeName"] = node
    if name := host_name(endpoint.pod, service):
        address["hostname"] = name
    return address


def _port(port: Port) -> dict[str, Any]:
    rendered: dict[str, Any] = {"port": port.port, "protocol": port.protocol}
    if port.name:
        rendered["name"] = port.name
    if port.app_protocol:
        rendered["appProtocol"] = port.app_protocol
    return rendered


def _woken(either: Object, view: View) -> list[Key]:
    """The Service of a Service or of Endpoints; if it is gone, the Endpoints."""
    namespace, name = namespace_of(either), name_of(either)
    kind = ENDPOINTS if view.get(SERVICES, namespace, name) is None else SERVICES
    return [Key(kind.collection, namespace, name)]


CONTROLLER = Controller(
    name="endpoint-controller",
    reconciles=SERVICES,
    reconcile=reconcile,
    watches=(PODS_WAKE_SERVICES, Watch(SERVICES, _woken), Watch(ENDPOINTS, _woken)),
    indexes=INDEXES,
)
