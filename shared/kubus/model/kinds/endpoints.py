"""Endpoints."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object
from kubus.model.validation.endpoints import endpoints_errors

SHOWN = 3


def set_defaults(obj: Object) -> None:
    """Ports speak TCP."""
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            port["protocol"] = port.get("protocol") or "TCP"


def _endpoints(obj: Object) -> str:
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [each.get("ip", "") for each in subset.get("addresses") or ()]
        ports = [port.get("port") for port in subset.get("ports") or ()]
        found += [f"{ip}:{port}" for port in ports for ip in addresses] if ports else addresses
    more = f" + {len(found) - SHOWN} more..." if len(found) > SHOWN else ""
    return ",".join(found[:SHOWN]) + more or NONE


KIND = Kind(
    group="",
    version="v1",
    name="Endpoints",
    plural="endpoints",
    namespaced=True,
    schema="io.k8s.api.core.v1.Endpoints",
    create_on_update=True,
    short_names=("ep",),
    deprecation="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    defaults=set_defaults,
    rules=(endpoints_errors,),
    columns=(NAME, Column("Endpoints", plain(_endpoints), description="Addresses and ports, the first of them."), AGE),
)
