"""Nodes as the scheduler sees them."""

from __future__ import annotations

from typing import Any

from kubus.model.taints import Taint
from kubus_scheduler.nodes import Capacity, capacity_of, facts_of


def test_capacity_is_what_is_allocatable_in_whole_numbers(build: Any) -> None:
    node = build.node("n", cpu="1500m", memory="1Ki", pods="7", extended={"x.io/gpu": "2", "ephemeral-storage": "1k"})
    assert capacity_of(node) == Capacity(1500, 1024, 1000, 7, {"x.io/gpu": 2})


def test_a_node_without_a_status_has_nothing_to_give() -> None:
    assert capacity_of({"metadata": {"name": "n"}}) == Capacity(0, 0, 0, 0, {})


def test_facts_are_name_labels_taints_and_cordon(build: Any) -> None:
    node = build.node("n", unschedulable=True, taints=[{"key": "k", "effect": "NoSchedule"}])
    facts = facts_of(node)
    assert facts.name == "n"
    assert facts.labels["kubernetes.io/hostname"] == "n"
    assert facts.taints == (Taint("k", "", "NoSchedule"),)
    assert facts.unschedulable
    assert facts == facts_of(build.node("n", unschedulable=True, taints=[{"key": "k", "effect": "NoSchedule"}]))
