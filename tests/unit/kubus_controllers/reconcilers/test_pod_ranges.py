"""Pod ranges: each node its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.objects import path_of
from kubus.testing.world import World
from kubus_controllers.reconcilers.pod_ranges import SINGLE_KEY, controller

SYSTEM = (NAMESPACES, {"metadata": {"name": "kube-system"}})


def ranges(world: World) -> list[str | None]:
    return [path_of(node, "spec", "podCIDR") for node in world.list(NODES)]


@given(st.lists(st.booleans(), max_size=8))
def test_every_node_gets_a_range_and_no_two_the_same(have: list[bool]) -> None:
    nodes = [
        (NODES, {"metadata": {"name": f"n{n}"}, "spec": {"podCIDR": f"10.244.{n}.0/24"} if has else {}})
        for n, has in enumerate(have)
    ]
    world = World(SYSTEM, *nodes)
    world.settle(controller("10.244.0.0/16", 24))
    assert None not in ranges(world)
    assert len(set(ranges(world))) == len(have)


def test_a_cluster_that_is_full_says_so() -> None:
    nodes = [(NODES, {"metadata": {"name": f"n{n}"}, "spec": {}}) for n in range(3)]
    world = World(SYSTEM, *nodes)
    world.reconcile(controller("10.244.0.0/23", 24))
    assert sorted(ranges(world), key=str) == ["10.244.0.0/24", "10.244.1.0/24", None]
    assert [record.reason for record in world.records] == ["CIDRNotAvailable"]


def test_all_nodes_wake_the_one_key_that_decides() -> None:
    world = World(SYSTEM, (NODES, {"metadata": {"name": "n0"}, "spec": {}}))
    (watch,) = controller("10.244.0.0/16", 24).watches
    assert watch.wakes(world.list(NODES)[0], world) == [SINGLE_KEY]


def test_a_range_given_by_hand_is_given_to_nobody_else() -> None:
    by_hand = [
        (NODES, {"metadata": {"name": f"h{n}"}, "spec": {"podCIDR": cidr}})
        for n, cidr in enumerate(("10.244.0.0/23", "10.244.2.128/25", "2001:db8::/64", "text"))
    ]
    world = World(SYSTEM, *by_hand, (NODES, {"metadata": {"name": "n"}, "spec": {}}))
    world.settle(controller("10.244.0.0/16", 24))
    assert "10.244.3.0/24" in ranges(world)
