"""Routes to other nodes' pods."""

from __future__ import annotations

from ipaddress import IPv4Network

from kubus.model.objects import Object
from kubus_proxy.routes import PROTOCOL, own_routes, route_commands, wanted_routes


def node(name: str, pod_range: str | None, address: str | None) -> Object:
    addresses = [{"type": "InternalIP", "address": address}] if address else []
    return {"metadata": {"name": name}, "spec": {"podCIDR": pod_range}, "status": {"addresses": addresses}}


def test_every_other_node_that_has_a_range_and_an_address_gets_a_route() -> None:
    nodes = [
        node("a", "10.244.0.0/24", "172.30.0.2"),
        node("b", "10.244.1.0/24", "172.30.0.3"),
        node("c", None, "1.1.1.1"),
    ]
    assert wanted_routes(nodes, "a") == {"10.244.1.0/24": "172.30.0.3"}
    assert len(wanted_routes(nodes, "")) == 2
    assert wanted_routes([node("d", "10.244.2.0/24", None)], "") == {}


def test_only_differences_are_carried_out() -> None:
    before = {"10.244.0.0/24": "172.30.0.2", "10.244.1.0/24": "172.30.0.3"}
    after = {"10.244.1.0/24": "172.30.0.4"}
    assert route_commands(before, after) == [
        ("route", "del", "10.244.0.0/24", "proto", PROTOCOL),
        ("route", "replace", "10.244.1.0/24", "via", "172.30.0.4", "proto", PROTOCOL),
    ]
    assert route_commands(before, before) == []


def test_another_clusters_routes_on_the_machine_are_left_alone() -> None:
    found = {"10.244.1.0/24": "172.30.0.2", "10.243.1.0/24": "172.30.1.2", "10.96.0.0/16": "172.30.0.2", "default": ""}
    ranges = (IPv4Network("10.244.0.0/16"), IPv4Network("10.96.0.0/16"))
    assert own_routes(found, ranges) == {"10.244.1.0/24": "172.30.0.2", "10.96.0.0/16": "172.30.0.2"}
