"""EndpointSlices for Endpoints that somebody made by hand.

A Service without a selector is told where it leads by an Endpoints object of its name. Proxies read EndpointSlices
only, so each subset of such an object is mirrored in one slice an address family, up to a thousand addresses. Endpoints
of a Service that has a selector have their slices from another controller; those that ask not to be mirrored, and those
that only hold an old leader election, have none. With the Endpoints go the slices: they are its dependents.

Source: https://kubernetes.io/docs/concepts/services-networking/service/#endpointslice-mirroring
"""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Any, NamedTuple

from kubus.machinery.plans import CONVERGED, Action, Controller, Create, Delete, Plan, Record, Update, View, Watch
from kubus.model.kinds.endpoints import KIND as ENDPOINTS
from kubus.model.kinds.endpointslices import KIND as SLICES
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
from kubus_controllers.reconcilers.names import child_name, suffix
from kubus_controllers.reconcilers.pods_of import controller_reference

ADDRESSES_MAX = 1000
"""Of a subset."""
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslicemirroring-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
_NOT_COPIED = frozenset(
    {"endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration"}
)

_Ports = tuple[tuple[tuple[str, Any], ...], ...]


class _Group(NamedTuple):
    """What goes into one slice: a family of addresses and a set of ports."""

    family: str
    ports: _Ports


class _Mirrored(NamedTuple):
    groups: dict[_Group, list[dict[str, Any]]]
    invalid: int
    skipped: int
    """Addresses beyond what is mirrored."""


def reconcile(endpoints: Object, view: View, now: datetime) -> Plan:
    """The slices that are to be written, made or removed."""
    if is_deleting(endpoints):
        return CONVERGED
    there = [each for each in view.owned(SLICES, uid_of(endpoints)) if labels_of(each).get(MANAGED_BY) == MANAGER]
    there.sort(key=name_of)
    wanted = _mirrored(endpoints) if _is_mirrored(endpoints, view) else _Mirrored({}, 0, 0)
    by_group: dict[_Group, Object] = {}
    actions: list[Action] = []
    for each in there:
        group = _Group(each["addressType"], _ports(each.get("ports") or ()))
        if group not in wanted.groups or group in by_group:
            actions.append(Delete(SLICES, namespace_of(each), name_of(each), uid_of(each)))
        else:
            by_group[group] = each
    for group, content in wanted.groups.items():
        actions += _write(endpoints, group, content, by_group.get(group))
    return Plan((*actions, *_remarks(endpoints, wanted)) if actions else ())


def _is_mirrored(endpoints: Object, view: View) -> bool:
    if labels_of(endpoints).get(SKIP) == "true" or LEADER in annotations_of(endpoints):
        return False
    service = view.get(SERVICES, namespace_of(endpoints), name_of(endpoints))
    return service is not None and not path_of(service, "spec", "selector")


def _mirrored(endpoints: Object) -> _Mirrored:
    groups: dict[_Group, list[dict[str, Any]]] = {}
    invalid = skipped = 0
    for subset in endpoints.get("subsets") or ():
        ports = _ports(subset.get("ports") or ())
        addresses = [(each, True) for each in subset.get("addresses") or ()]
        addresses += [(each, False) for each in subset.get("notReadyAddresses") or ()]
        taken = 0
        for address, ready in addresses:
            family, endpoint = _endpoint(address, ready=ready)
            if not family:
                invalid += 1
            elif taken >= ADDRESSES_MAX:
                skipped += 1
            else:
                taken += 1
                groups.setdefault(_Group(family, ports), []).append(endpoint)
    return _Mirrored(groups, invalid, skipped)


def _endpoint(address: dict[str, Any], *, ready: bool) -> tuple[str, dict[str, Any]]:
    """The family of an address ("" if it is none) and its endpoint."""
    try:
        ip = ipaddress.ip_address(address.get("ip", ""))
    except ValueError:
        return "", {}
    endpoint: dict[str, Any] = {"addresses": [str(ip)], "conditions": {"ready": ready}}
    for field in ("hostname", "nodeName", "targetRef"):
        if address.get(field):
            endpoint[field] = address[field]
    return f"IPv{ip.version}", endpoint


def _ports(ports: Any) -> _Ports:
    """Ports as a key, in an order of their own; a port that says no name has none, one that says no protocol is TCP."""
    keys = []
    for port in ports:
        fields = {"name": port.get("name") or "", "protocol": port.get("protocol") or "TCP", "port": port.get("port")}
        if port.get("appProtocol"):
            fields["appProtocol"] = port["appProtocol"]
        keys.append(tuple(fields.items()))
    return tuple(sorted(keys, key=repr))


def _write(endpoints: Object, group: _Group, content: list[dict[str, Any]], there: Object | None) -> list[Action]:
    labels = {**labels_of(endpoints), SERVICE_NAME: name_of(endpoints), MANAGED_BY: MANAGER}
    annotations = {key: value for key, value in annotations_of(endpoints).items() if key not in _NOT_COPIED}
    if there is not None:
        if (there.get("endpoints") or [], labels_of(there), annotations_of(there)) == (content, labels, annotations):
            return []
        meta = {**metadata(there), "labels": labels, "annotations": annotations}
        return [Update(SLICES, {**there, "metadata": meta, "endpoints": content})]
    meta = {
        "name": child_name(name_of(endpoints), suffix(uid_of(endpoints), group.family, repr(group.ports))),
        "generateName": f"{name_of(endpoints)}-",
        "namespace": namespace_of(endpoints),
        "labels": labels,
        "ownerReferences": [controller_reference(endpoints)],
    }
    if annotations:
        meta["annotations"] = annotations
    made = {"apiVersion": SLICES.api_version, "kind": SLICES.name, "metadata": meta, "addressType": group.family}
    return [Create(SLICES, {**made, "ports": [dict(port) for port in group.ports], "endpoints": content})]


def _remarks(endpoints: Object, wanted: _Mirrored) -> list[Record]:
    remarks = []
    if wanted.invalid:
        message = f"Skipped {wanted.invalid} invalid IP addresses when mirroring to EndpointSlices"
        remarks.append(Record(endpoints, "InvalidIPAddress", message, "Warning"))
    if wanted.skipped:
        message = (
            f"A max of {ADDRESSES_MAX} addresses can be mirrored to EndpointSlices per Endpoints subset. "
            f"{wanted.skipped + wanted.invalid} addresses were skipped"
        )
        remarks.append(Record(endpoints, "TooManyAddressesToMirror", message, "Warning"))
    return remarks


def _of_service(service: Object, view: View) -> list[Key]:
    return [Key(ENDPOINTS.collection, namespace_of(service), name_of(service))]


CONTROLLER = Controller(
    name="endpointslice-mirroring-controller",
    reconciles=ENDPOINTS,
    reconcile=reconcile,
    owns=(SLICES,),
    watches=(Watch(SERVICES, _of_service),),
)
