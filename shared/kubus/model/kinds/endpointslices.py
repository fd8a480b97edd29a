"""EndpointSlices."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, UNSET, at, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object
from kubus.model.validation.endpoints import slice_errors

SHOWN = 3


def set_defaults(obj: Object) -> None:
    """Ports have a name, if an empty one, and speak TCP."""
    for port in obj.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def _listed(texts: list[str]) -> str:
    more = f" + {len(texts) - SHOWN} more..." if len(texts) > SHOWN else ""
    return ",".join(texts[:SHOWN]) + more or UNSET


def _ports(obj: Object) -> str:
    return _listed([str(port.get("port") or port.get("name") or "*") for port in obj.get("ports") or ()])


def _endpoints(obj: Object) -> str:
    return _listed([address for each in obj.get("endpoints") or () for address in each.get("addresses") or ()])


KIND = Kind(
    group="discovery.k8s.io",
    version="v1",
    name="EndpointSlice",
    plural="endpointslices",
    namespaced=True,
    schema="io.k8s.api.discovery.v1.EndpointSlice",
    generation=True,
    defaults=set_defaults,
    rules=(slice_errors,),
    columns=(
        NAME,
        Column("AddressType", at("addressType"), description="IPv4, IPv6 or FQDN."),
        Column("Ports", plain(_ports), description="Ports of every endpoint."),
        Column("Endpoints", plain(_endpoints), description="Addresses, the first of them."),
        AGE,
    ),
)
