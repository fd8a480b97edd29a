"""Routes to other nodes' pods."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.objects import Object
from kubus.testing.hostile_texts import HOSTILE, HOSTILE_RANGES
from kubus_proxy.routes import (
    Ranges,
    RemoveRoute,
    SetRoute,
    gateways,
    internal_address,
    own_routes,
    route_changes,
    wanted_routes,
)

RANGES = Ranges(IPv4Network("10.244.0.0/16"), IPv4Network("10.96.0.0/16"))


def node(name: str, pod_range: object, address: object, created: str = "") -> Object:
    addresses = [{"type": "InternalIP", "address": address}] if address else []
    meta = {"name": name, "creationTimestamp": created or name}
    return {"metadata": meta, "spec": {"podCIDR": pod_range}, "status": {"addresses": addresses}}


def routes(*pairs: tuple[str, str]) -> dict[IPv4Network, IPv4Address]:
    return {IPv4Network(destination): IPv4Address(gateway) for destination, gateway in pairs}


def test_every_other_node_that_has_a_range_and_an_address_gets_a_route() -> None:
    nodes = [
        node("a", "10.244.0.0/24", "172.30.0.2"),
        node("b", "10.244.1.0/24", "172.30.0.3"),
        node("c", None, "1.1.1.1"),
    ]
    assert wanted_routes(nodes, "a", RANGES).routes == routes(("10.244.1.0/24", "172.30.0.3"))
    assert len(wanted_routes(nodes, "", RANGES).routes) == 2
    assert wanted_routes([node("d", "10.244.2.0/24", None)], "", RANGES).routes == {}


@pytest.mark.parametrize(
    "pod_range", ["10.0.0.0/8", "0.0.0.0/0", "10.96.0.0/24", "8.8.8.0/24", "10.244.1.1/24", "2001:db8::/64", 7, ["x"]]
)
def test_a_range_that_is_not_of_the_cluster_gets_no_route_and_is_told(pod_range: object) -> None:
    found = wanted_routes([node("a", pod_range, "172.30.0.2"), node("b", "10.244.1.0/24", "172.30.0.3")], "", RANGES)
    assert found.routes == routes(("10.244.1.0/24", "172.30.0.3"))
    assert [each["metadata"]["name"] for each, _ in found.faults] == ["a"]


def test_of_two_nodes_with_overlapping_ranges_the_older_one_has_the_route() -> None:
    old, young = node("z", "10.244.1.0/24", "172.30.0.2", "2025"), node("a", "10.244.0.0/16", "172.30.0.3", "2026")
    for own in ("", "other"):
        found = wanted_routes([young, old], own, RANGES)
        assert found.routes == routes(("10.244.1.0/24", "172.30.0.2"))
        assert [words for _, words in found.faults] == ["podCIDR 10.244.0.0/16 overlaps with that of the older Node z"]
    assert wanted_routes([young, old], "z", RANGES).routes == {}, "nothing draws a node's own pods away"


@pytest.mark.parametrize("address", ["10.244.7.7", "10.96.0.1", "127.0.0.1", "0.0.0.0", "169.254.1.1", *HOSTILE])
def test_an_address_that_is_none_of_a_node_gets_no_route(address: str) -> None:
    assert internal_address(node("a", None, address), RANGES) is None
    assert wanted_routes([node("a", "10.244.1.0/24", address)], "", RANGES).routes == {}


def test_the_oldest_node_is_the_first_gateway() -> None:
    nodes = [node("a", None, "172.30.0.3", "2026"), node("b", None, "172.30.0.2", "2025"), node("c", None, None)]
    assert gateways(nodes, RANGES) == [IPv4Address("172.30.0.2"), IPv4Address("172.30.0.3")]


def test_only_differences_are_carried_out() -> None:
    before = routes(("10.244.0.0/24", "172.30.0.2"), ("10.244.1.0/24", "172.30.0.3"))
    after = routes(("10.244.1.0/24", "172.30.0.4"))
    assert route_changes(before, after) == [
        RemoveRoute(IPv4Network("10.244.0.0/24")),
        SetRoute(IPv4Network("10.244.1.0/24"), IPv4Address("172.30.0.4")),
    ]
    assert route_changes(before, before) == []


def test_another_clusters_routes_on_the_machine_are_left_alone_but_in_a_node_all_are_ours() -> None:
    found = routes(
        ("10.244.1.0/24", "172.30.0.2"),
        ("10.0.0.0/8", "172.30.0.9"),
        ("203.0.113.0/24", "172.30.0.2"),
        ("10.243.1.0/24", "172.30.1.2"),
        ("10.96.0.0/16", "172.30.0.2"),
    )
    on_machine = own_routes(found, RANGES, {IPv4Address("172.30.0.2")}, alone=False)
    assert set(found) - set(on_machine) == {IPv4Network("10.243.1.0/24")}
    assert own_routes(found, RANGES, set(), alone=True) == found


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from([*HOSTILE, *HOSTILE_RANGES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(anything, anything, anything), max_size=4))
def test_whatever_nodes_hold_routes_are_disjoint_and_within_the_clusters_range(given_nodes) -> None:
    nodes = [
        {"metadata": {"name": f"n{n}", "creationTimestamp": age}, "spec": {"podCIDR": cidr}, "status": status}
        for n, (cidr, status, age) in enumerate(given_nodes)
    ]
    nodes += [node(f"m{n}", cidr, address) for n, (cidr, address, _) in enumerate(given_nodes)]
    found = list(wanted_routes(nodes, "", RANGES).routes)
    assert all(each.subnet_of(RANGES.pods) for each in found)
    assert not any(a.overlaps(b) for n, a in enumerate(found) for b in found[:n])
