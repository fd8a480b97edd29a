"""Routes to the pods of other nodes: a node's range goes to the node's address. Pure.

Nodes that see one another directly, as on one machine or one network, need no tunnel for it. The routes bear a
protocol number of their own, so that a proxy after its restart knows them from those of others.

Only what the controllers can have given is routed: a range within the cluster's, which no older Node has, to an address
outside of it. So whoever gets something else into a Node draws no traffic, and what a proxy before this one routed so
is removed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from kubus.model.objects import Object, name_of, path_of
from kubus_proxy.addresses import to_network, to_reachable_address

PROTOCOL = 75
"""Ours, by our choice: the kernel leaves 5-255 to whoever routes (RTPROT_*, linux/rtnetlink.h)."""
Routes = Mapping[IPv4Network, IPv4Address | None]
"""Destination → gateway; None is a route without one, which is none of ours but may bear our number."""


class Ranges(NamedTuple):
    """The cluster's address ranges."""

    pods: IPv4Network
    services: IPv4Network


class Wanted(NamedTuple):
    """Which routes there should be."""

    routes: dict[IPv4Network, IPv4Address]
    nodes: dict[IPv4Network, Object]
    """Whose route it is."""
    faults: list[tuple[Object, str]]
    """Nodes that get none, and why."""


@dataclass(frozen=True, slots=True)
class SetRoute:
    """Lead a range to a gateway, whether or not it leads elsewhere."""

    destination: IPv4Network
    gateway: IPv4Address


@dataclass(frozen=True, slots=True)
class RemoveRoute:
    """Take a route of ours away."""

    destination: IPv4Network


def by_age(nodes: Iterable[Object]) -> list[Object]:
    """Nodes, the oldest first: where two claim one thing it is that one's."""
    return sorted(nodes, key=lambda node: tuple(str(path_of(node, "metadata", key) or "") for key in _AGE))


_AGE = ("creationTimestamp", "uid", "name")


def wanted_routes(nodes: Iterable[Object], own: str, ranges: Ranges) -> Wanted:
    """The routes to the pods of all nodes but our own."""
    result = Wanted({}, {}, [])
    taken: list[tuple[IPv4Network, str]] = []
    for node in by_age(nodes):
        text = path_of(node, "spec", "podCIDR")
        if not text:
            continue
        network = to_network(text)
        if network is None or not network.subnet_of(ranges.pods):
            result.faults.append((node, f"podCIDR {_shown(text)} is no range within the cluster's, {ranges.pods}"))
            continue
        if clash := next((name for each, name in taken if each.overlaps(network)), ""):
            result.faults.append((node, f"podCIDR {network} overlaps with that of the older Node {clash}"))
            continue
        taken.append((network, name_of(node)))
        address = internal_address(node, ranges)
        if name_of(node) != own and address is not None:
            result.routes[network], result.nodes[network] = address, node
    return result


def _shown(value: object) -> str:
    return f'"{str(value)[:60].encode("unicode_escape").decode()}"'


def gateways(nodes: Iterable[Object], ranges: Ranges) -> list[IPv4Address]:
    """Addresses of nodes, the oldest node's first."""
    found = (internal_address(node, ranges) for node in by_age(nodes))
    return [each for each in found if each is not None]


def internal_address(node: Object, ranges: Ranges) -> IPv4Address | None:
    """The node's InternalIP (IPv4); one among pods or Services is none."""
    for kind, address in node_addresses(node):
        if kind == "InternalIP" and address not in ranges.pods and address not in ranges.services:
            return address
    return None


def node_addresses(node: Object) -> Iterator[tuple[str, IPv4Address]]:
    """Type and address of a node's own IPv4 addresses."""
    addresses = path_of(node, "status", "addresses")
    for each in addresses if isinstance(addresses, list) else ():
        if isinstance(each, dict) and each.get("type") in ("InternalIP", "ExternalIP"):
            address = to_reachable_address(each.get("address"))
            if address is not None:
                yield each["type"], address


def own_routes(found: Routes, ranges: Ranges, node_addresses: Collection[IPv4Address], *, alone: bool) -> Routes:
    """Of the routes that proxies have made those of this cluster's.

    In a node's namespace (`alone`) these are all. A machine may have several clusters, whose ranges do not overlap:
    there they are those that touch a range of the cluster or lead to one of its nodes.
    """
    return {
        destination: gateway
        for destination, gateway in found.items()
        if alone or gateway in node_addresses or any(destination.overlaps(each) for each in ranges)
    }


def route_changes(before: Routes, after: Mapping[IPv4Network, IPv4Address]) -> list[SetRoute | RemoveRoute]:
    """What leads from one set of routes to another."""
    gone = [RemoveRoute(each) for each in sorted(before.keys() - after.keys())]
    new = [SetRoute(each, gateway) for each, gateway in sorted(after.items()) if before.get(each) != gateway]
    return [*gone, *new]
