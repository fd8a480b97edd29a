"""What a Service and its EndpointSlices ask of the kernel: values, worked out from objects.

`demand(service, slices, node)` says which addresses and ports lead to which endpoints on this node: ready ones only,
those that end but still serve where no other is left, local ones only where the traffic policy says so. What is no
address, port or protocol is left out and named among the faults.

Source: https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address
from typing import Any, NamedTuple, TypeVar

from kubus.model.objects import Object, path_of
from kubus_proxy.addresses import Protocol, to_port, to_protocol, to_reachable_address

T = TypeVar("T")
SERVICE_NAME = "kubernetes.io/service-name"
PROXY_NAME = "service.kubernetes.io/service-proxy-name"
_SHOWN_MAX = 60


class Endpoint(NamedTuple):
    """Where a connection may end."""

    address: IPv4Address
    port: int


class Frontend(NamedTuple):
    """One address and port under which a Service is reached; no address means any of the node (NodePort)."""

    protocol: Protocol
    address: IPv4Address | None
    port: int


class Backend(NamedTuple):
    """Where a frontend leads."""

    endpoints: tuple[Endpoint, ...]
    sticky: bool
    """The same client to the same endpoint (sessionAffinity: ClientIP)."""
    masquerade: bool
    """Whether the source is replaced, so that answers come back through this node."""


Wanted = dict[Frontend, Backend]


class Demand(NamedTuple):
    """What a Service asks for."""

    frontends: Wanted
    external: frozenset[Frontend] = frozenset()
    """Those whose address its author or a load balancer chose (externalIPs, ingress): two Services may name one."""
    faults: tuple[str, ...] = ()
    """What was left out, in words for people."""


def demand(service: Object, slices: Iterable[Object], node: str) -> Demand:
    """The frontends of a Service on a node, and where each leads."""
    spec = service.get("spec") or {}
    cluster_ip = spec.get("clusterIP", "")
    if spec.get("type") == "ExternalName" or cluster_ip in ("", "None") or _is_foreign(service):
        return Demand({})
    pieces, faults, external = list(slices), _Faults(), set[Frontend]()
    inner = faults.parsed(to_reachable_address, cluster_ip, "spec.clusterIP")
    outer = list(_external_addresses(service, faults))
    sticky = spec.get("sessionAffinity") == "ClientIP"
    internal_local = spec.get("internalTrafficPolicy") == "Local"
    external_local = spec.get("externalTrafficPolicy") == "Local"
    result: Wanted = {}
    for index, port in enumerate(spec.get("ports") or ()):
        protocol = faults.parsed(to_protocol, port.get("protocol"), f"spec.ports[{index}].protocol")
        number = faults.parsed(to_port, port.get("port"), f"spec.ports[{index}].port")
        if protocol is None or number is None:
            continue
        outside = Backend(_endpoints(pieces, port, node, faults, local=external_local), sticky, not external_local)
        for address in outer:
            result[Frontend(protocol, address, number)] = outside
            external.add(Frontend(protocol, address, number))
        if inner is not None:
            inside = _endpoints(pieces, port, node, faults, local=internal_local)
            result[Frontend(protocol, inner, number)] = Backend(inside, sticky, masquerade=False)
            external.discard(Frontend(protocol, inner, number))
        if port.get("nodePort"):
            node_port = faults.parsed(to_port, port["nodePort"], f"spec.ports[{index}].nodePort")
            if node_port is not None:
                result[Frontend(protocol, None, node_port)] = outside
    return Demand(result, frozenset(external), faults.words())


class _Faults:
    """Gathers what could not be parsed, each fault once."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def parsed(self, parse: Callable[[object], T | None], value: object, field: str) -> T | None:
        """The parsed value; None is noted."""
        result = parse(value)
        if result is None:
            self.note(field, value)
        return result

    def note(self, field: str, value: object) -> None:
        shown = str(value)[:_SHOWN_MAX].encode("unicode_escape").decode()
        self._found[f'{field} is left out, as it cannot be used: "{shown}"'] = None

    def words(self) -> tuple[str, ...]:
        return tuple(self._found)


def _is_foreign(service: Object) -> bool:
    """Whether the Service asks for another proxy."""
    return PROXY_NAME in (path_of(service, "metadata", "labels", default={}))


def _external_addresses(service: Object, faults: _Faults) -> Iterator[IPv4Address]:
    """Addresses that others lead to the nodes; those of the other family are not ours."""
    named: list[tuple[str, object]] = [
        (f"spec.externalIPs[{index}]", each)
        for index, each in enumerate(path_of(service, "spec", "externalIPs", default=()))
    ]
    for index, each in enumerate(path_of(service, "status", "loadBalancer", "ingress", default=())):
        if each.get("ip") and each.get("ipMode", "VIP") == "VIP":
            named.append((f"status.loadBalancer.ingress[{index}].ip", each["ip"]))
    for field, value in named:
        if _is_ipv6(value):
            continue
        address = faults.parsed(to_reachable_address, value, field)
        if address is not None:
            yield address


def _is_ipv6(value: object) -> bool:
    """Whether a text looks like one; it goes nowhere, so a look is enough."""
    return isinstance(value, str) and ":" in value


def _endpoints(
    slices: Iterable[Object], port: dict[str, Any], node: str, faults: _Faults, *, local: bool
) -> tuple[Endpoint, ...]:
    """Endpoints of one port, in order: the ready ones, or failing these those that serve while they end."""
    ready: set[Endpoint] = set()
    leaving: set[Endpoint] = set()
    for each in slices:
        if each.get("addressType") != "IPv4" or (number := _port_number(each, port, faults)) is None:
            continue
        for endpoint in each.get("endpoints") or ():
            if local and endpoint.get("nodeName") != node:
                continue
            value = (endpoint.get("addresses") or (None,))[0]
            if (address := to_reachable_address(value)) is None:
                faults.note("an endpoint", value)
                continue
            conditions = endpoint.get("conditions") or {}
            if conditions.get("ready", True):
                ready.add(Endpoint(address, number))
            elif conditions.get("serving") and conditions.get("terminating"):
                leaving.add(Endpoint(address, number))
    return tuple(sorted(ready or leaving, key=_order))


def _order(endpoint: Endpoint) -> tuple[int, int]:
    return int(endpoint.address), endpoint.port


def _port_number(each: Object, port: dict[str, Any], faults: _Faults) -> int | None:
    for candidate in each.get("ports") or ():
        same_name = (candidate.get("name") or "") == (port.get("name") or "")
        if same_name and candidate.get("protocol", "TCP") == port.get("protocol", "TCP"):
            number = candidate.get("port")
            return faults.parsed(to_port, number, "an endpoint's port") if number is not None else None
    return None
