"""Routes to the pods of other nodes: a node's range goes to the node's address. Pure.

Nodes that see one another directly, as on one machine or one network, need no tunnel for it. The routes bear a
protocol number of their own, so that a proxy after its restart knows them from those of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network

from kubus.model.objects import Object, name_of, path_of

PROTOCOL = "75"
"""Ours, by our choice: the kernel leaves 5-255 to whoever routes (RTPROT_*, linux/rtnetlink.h)."""


def wanted_routes(nodes: Iterable[Object], own: str) -> dict[str, str]:
    """Pod range → node address, of all nodes but our own."""
    routes = {}
    for node in nodes:
        pod_range, address = path_of(node, "spec", "podCIDR"), internal_address(node)
        if name_of(node) != own and pod_range and address:
            routes[pod_range] = address
    return routes


def own_routes(found: Mapping[str, str], ranges: Iterable[IPv4Network]) -> dict[str, str]:
    """Of the routes that proxies have made, those into a cluster's own ranges: a machine may have several clusters."""
    return {
        destination: gateway
        for destination, gateway in found.items()
        if (network := _network(destination)) is not None and any(network.subnet_of(each) for each in ranges)
    }


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text)
    except ValueError:  # "default"
        return None


def internal_address(node: Object) -> str:
    """The node's InternalIP (IPv4), or ""."""
    for each in path_of(node, "status", "addresses", default=()):
        if each.get("type") == "InternalIP" and ":" not in each.get("address", ":"):
            return str(each["address"])
    return ""


def route_commands(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Arguments of `ip` that lead from one set of routes to another."""
    gone: list[tuple[str, ...]] = [
        ("route", "del", pod_range, "proto", PROTOCOL) for pod_range in sorted(before.keys() - after.keys())
    ]
    new: list[tuple[str, ...]] = [
        ("route", "replace", pod_range, "via", address, "proto", PROTOCOL)
        for pod_range, address in sorted(after.items())
        if before.get(pod_range) != address
    ]
    return gone + new
