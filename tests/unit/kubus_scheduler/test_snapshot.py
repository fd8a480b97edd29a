"""Nodes and what is free on them: whatever happens, the arrays are what plain sums give."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_scheduler.nodes import capacity_of, facts_of
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.templates import Pod, Templates

TEMPLATES = Templates()
STEP = st.tuples(st.sampled_from(("node", "gone", "place", "withdraw")), st.integers(0, 3), st.integers(0, 7))


def put(snapshot: Snapshot, node: Any) -> int | None:
    return snapshot.set_node(facts_of(node), capacity_of(node))


def check(snapshot: Snapshot, nodes: dict[str, Any], placed: dict[str, tuple[Pod, str]]) -> None:
    assert set(snapshot.slots) == set(nodes)
    for name, node in nodes.items():
        slot, capacity = snapshot.slots[name], capacity_of(node)
        needs = [pod.template.needs for pod, where in placed.values() if where == name]
        assert snapshot.free_cpu[slot] == capacity.cpu_milli - sum(each.cpu_milli for each in needs)
        assert snapshot.free_memory[slot] == capacity.memory_bytes - sum(each.memory_bytes for each in needs)
        assert snapshot.free_pods[slot] == capacity.pods - len(needs)
        free = snapshot.free_extended[slot].get("x.io/gpu", 0)
        assert free == capacity.extended.get("x.io/gpu", 0) - sum(
            dict(each.extended).get("x.io/gpu", 0) for each in needs
        )
        assert sum(snapshot.ports[slot].values()) == sum(
            len(pod.template.ports) for pod, where in placed.values() if where == name
        )
        owned = sum(1 for pod, where in placed.values() if where == name and pod.owner)
        assert snapshot.owners.get("rs", {}).get(slot, 0) == owned
        assert len(snapshot.pods_on(name)) == len(needs)


@settings(max_examples=100)
@given(steps=st.lists(STEP, max_size=40))
def test_free_is_capacity_less_what_is_placed(build: Any, steps: list[tuple[str, int, int]]) -> None:
    snapshot = Snapshot()
    nodes: dict[str, Any] = {}
    placed: dict[str, tuple[Pod, str]] = {}
    for what, number, pick in steps:
        node = f"n{number}"
        match what:
            case "node":
                extended = {"x.io/gpu": str(pick % 2)} if pick > 4 else None
                nodes[node] = build.node(node, cpu=str(1 + pick), extended=extended)
                put(snapshot, nodes[node])
            case "gone":
                nodes.pop(node, None)
                snapshot.remove_node(node)
            case "place" if f"p{pick}" not in placed:
                spec = {"overhead": {"x.io/gpu": "1"}} if pick > 5 else {}
                obj = build.pod(f"p{pick}", owner="rs" if pick % 2 else "", ports=[80] if pick > 3 else None, **spec)
                placed[f"p{pick}"] = TEMPLATES.pod(obj), node
                snapshot.place(*placed[f"p{pick}"])
            case "withdraw" if f"p{pick}" in placed:
                snapshot.withdraw(*placed.pop(f"p{pick}"))
        check(snapshot, nodes, placed)
    for pod, node in placed.values():
        snapshot.withdraw(pod, node)
    assert not snapshot.owners
    assert not any(snapshot.ports)


def test_a_node_that_has_not_changed_where_it_matters_changes_nothing(build: Any) -> None:
    snapshot = Snapshot()
    assert put(snapshot, build.node("n")) == 0
    position, layout = snapshot.position, snapshot.layout
    assert put(snapshot, build.node("n")) is None
    assert (snapshot.position, snapshot.layout) == (position, layout)
    assert put(snapshot, build.node("n", cpu="9")) == 0
    assert snapshot.layout == layout
    assert put(snapshot, build.node("n", cpu="9", labels={"a": "b"})) == 0
    assert snapshot.layout == layout + 1


def test_the_log_names_what_changed_and_forgets_what_is_long_past(build: Any) -> None:
    snapshot = Snapshot()
    put(snapshot, build.node("a"))
    put(snapshot, build.node("b"))
    start = snapshot.position
    pod = TEMPLATES.pod(build.pod("p"))
    snapshot.place(pod, "b")
    assert snapshot.changed_since(start) == [1]
    for _ in range(3000):
        snapshot.withdraw(pod, "b")
        snapshot.place(pod, "b")
    assert snapshot.changed_since(start) is None
    assert snapshot.changed_since(snapshot.position) == []
    assert snapshot.changed_since(snapshot.position - 2) == [1, 1]
