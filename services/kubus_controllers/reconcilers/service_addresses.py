"""IPAddress: each address that a Service holds is an object of its own, which names the Service.

The apiserver allots addresses in the transaction that writes the Service; the objects say afterwards who holds what
(`kubectl get ipaddresses`). One that speaks of a Service which no longer holds the address goes; one that somebody
made by hand, without our label, stays.

https://kubernetes.io/docs/reference/networking/virtual-ips/#ip-address-objects
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address

from kubus.machinery.plans import CONVERGED, Controller, Create, Delete, Plan, View, Watch
from kubus.model.kinds.ipaddresses import KIND as ADDRESSES
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Key, Object, is_deleting, name_of, namespace_of, path_of, uid_of

MANAGED_BY = {"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
_FAMILY = "ipaddress.kubernetes.io/ip-family"


def addresses_of(service: Object) -> Iterator[str]:
    """The cluster's addresses that a Service holds."""
    for address in path_of(service, "spec", "clusterIPs", default=None) or ():
        if address and address != "None":
            yield address


def reconcile_service(service: Object, view: View, now: datetime) -> Plan:
    """An object for each address that has none."""
    if is_deleting(service):
        return CONVERGED
    missing = [each for each in addresses_of(service) if view.get(ADDRESSES, "", each) is None]
    return Plan(tuple(Create(ADDRESSES, _made(each, service)) for each in missing))


def _made(address: str, service: Object) -> Object:
    family = f"IPv{ip_address(address).version}"
    parent = {"group": "", "resource": "services", "namespace": namespace_of(service), "name": name_of(service)}
    return {
        "apiVersion": ADDRESSES.api_version,
        "kind": ADDRESSES.name,
        "metadata": {"name": address, "labels": {_FAMILY: family, **MANAGED_BY}},
        "spec": {"parentRef": parent},
    }


def reconcile_address(address: Object, view: View, now: datetime) -> Plan:
    """The end of an object whose Service does not hold the address."""
    ours = MANAGED_BY.items() <= (address["metadata"].get("labels") or {}).items()
    service = view.get(SERVICES, *_parent(address))
    if not ours or is_deleting(address) or (service is not None and name_of(address) in addresses_of(service)):
        return CONVERGED
    return Plan((Delete(ADDRESSES, "", name_of(address), uid_of(address)),))


def _parent(address: Object) -> tuple[str, str]:
    parent = path_of(address, "spec", "parentRef", default={})
    return parent.get("namespace") or "", parent.get("name") or ""


def _holder(address: Object, view: View) -> list[Key]:
    return [Key(SERVICES.collection, *_parent(address))]


def _held(service: Object, view: View) -> list[Key]:
    """What a Service holds, or held when it was last seen."""
    return [Key(ADDRESSES.collection, "", address) for address in addresses_of(service)]


ALLOTTED_CONTROLLER = Controller(
    name="service-address-controller",
    reconciles=SERVICES,
    reconcile=reconcile_service,
    watches=(Watch(ADDRESSES, _holder),),
)
RELEASED_CONTROLLER = Controller(
    name="service-address-collector",
    reconciles=ADDRESSES,
    reconcile=reconcile_address,
    watches=(Watch(SERVICES, _held),),
)
