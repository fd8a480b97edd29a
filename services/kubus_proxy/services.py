"""What a Service and its EndpointSlices ask of the kernel: values, worked out from objects.

`wanted(service, slices, node)` says which addresses and ports lead to which endpoints on this node: ready ones only,
those that end but still serve where no other is left, local ones only where the traffic policy says so.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kubus.model.objects import Object, path_of

SERVICE_NAME = "kubernetes.io/service-name"
PROXY_NAME = "service.kubernetes.io/service-proxy-name"


class Endpoint(NamedTuple):
    """Where a connection may end."""

    address: str
    port: int


class Frontend(NamedTuple):
    """One address and port under which a Service is reached; address "" means any address of the node (NodePort)."""

    protocol: str
    """tcp, udp or sctp."""
    address: str
    port: int


class Backend(NamedTuple):
    """Where a frontend leads."""

    endpoints: tuple[Endpoint, ...]
    sticky: bool
    """The same client to the same endpoint (sessionAffinity: ClientIP)."""
    masquerade: bool
    """Whether the source is replaced, so that answers come back through this node."""


Wanted = dict[Frontend, Backend]


def wanted(service: Object, slices: Iterable[Object], node: str) -> Wanted:
    """The frontends of a Service on a node, and where each leads."""
    spec = service.get("spec") or {}
    cluster_ip = spec.get("clusterIP", "")
    if spec.get("type") == "ExternalName" or cluster_ip in ("", "None") or _is_foreign(service):
        return {}
    pieces = list(slices)
    sticky = spec.get("sessionAffinity") == "ClientIP"
    internal_local = spec.get("internalTrafficPolicy") == "Local"
    external_local = spec.get("externalTrafficPolicy") == "Local"
    result: Wanted = {}
    for port in spec.get("ports") or ():
        protocol = port.get("protocol", "TCP").lower()
        inside = _endpoints(pieces, port, node, local=internal_local)
        outside = _endpoints(pieces, port, node, local=external_local)
        result[Frontend(protocol, cluster_ip, port["port"])] = Backend(inside, sticky, masquerade=False)
        for address in _external_addresses(service):
            result[Frontend(protocol, address, port["port"])] = Backend(outside, sticky, not external_local)
        if port.get("nodePort"):
            result[Frontend(protocol, "", port["nodePort"])] = Backend(outside, sticky, not external_local)
    return result


def _is_foreign(service: Object) -> bool:
    """Whether the Service asks for another proxy."""
    return PROXY_NAME in (path_of(service, "metadata", "labels", default={}))


def _external_addresses(service: Object) -> list[str]:
    ingress = path_of(service, "status", "loadBalancer", "ingress", default=())
    balancers = [each["ip"] for each in ingress if each.get("ip") and each.get("ipMode", "VIP") == "VIP"]
    return [
        address for address in [*path_of(service, "spec", "externalIPs", default=()), *balancers] if ":" not in address
    ]


def _endpoints(slices: Iterable[Object], port: dict[str, Any], node: str, *, local: bool) -> tuple[Endpoint, ...]:
    """Endpoints of one port, in order: the ready ones, or failing these those that serve while they end."""
    ready: set[Endpoint] = set()
    leaving: set[Endpoint] = set()
    for each in slices:
        number = _port_number(each, port)
        if each.get("addressType") != "IPv4" or number is None:
            continue
        for endpoint in each.get("endpoints") or ():
            if local and endpoint.get("nodeName") != node:
                continue
            conditions = endpoint.get("conditions") or {}
            place = Endpoint(endpoint["addresses"][0], number)
            if conditions.get("ready", True):
                ready.add(place)
            elif conditions.get("serving") and conditions.get("terminating"):
                leaving.add(place)
    return tuple(sorted(ready or leaving))


def _port_number(each: Object, port: dict[str, Any]) -> int | None:
    for candidate in each.get("ports") or ():
        same_name = (candidate.get("name") or "") == (port.get("name") or "")
        if same_name and candidate.get("protocol", "TCP") == port.get("protocol", "TCP"):
            number = candidate.get("port")
            return int(number) if number is not None else None
    return None
