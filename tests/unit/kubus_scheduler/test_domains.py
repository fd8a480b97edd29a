"""Counts by slot, summed up by domain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_scheduler.domains import Domains, KeyLayout, Layouts
from kubus_scheduler.nodes import capacity_of, facts_of
from kubus_scheduler.snapshot import Snapshot

ZONES = ("z1", "z1", "z2", "z3", None, "z3")


@pytest.fixture(scope="module")
def snapshot(build: Any) -> Snapshot:
    made = Snapshot()
    for number, zone in enumerate(ZONES):
        node = build.node(f"n{number}", labels={"zone": zone, "all": "one"} if zone else {})
        made.set_node(facts_of(node), capacity_of(node))
    return made


def test_a_key_is_fine_if_its_domains_are_small(snapshot: Snapshot) -> None:
    assert KeyLayout("kubernetes.io/hostname", snapshot).fine
    assert KeyLayout("zone", snapshot).fine
    assert not KeyLayout("all", snapshot).fine
    assert KeyLayout("nobody has it", snapshot).fine


def test_a_layout_is_kept_until_the_facts_change(build: Any) -> None:
    made = Snapshot()
    layouts = Layouts(made)
    first = layouts.of("zone")
    assert layouts.of("zone") is first
    node = build.node("n", labels={"zone": "z9"})
    made.set_node(facts_of(node), capacity_of(node))
    assert layouts.of("zone").members == {"z9": [0]}


@settings(max_examples=100)
@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=30),
    eligible=st.none() | st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_sums_total_and_minimum_follow_the_counts(
    snapshot: Snapshot, steps: list[tuple[int, int]], eligible: list[bool] | None
) -> None:
    per_slot: dict[int, int] = {}
    domains = Domains(KeyLayout("zone", snapshot), per_slot, eligible)
    for slot, count in steps:
        per_slot[slot] = count
        before = domains.minimum, not domains.total
        shifted = domains.update(slot)
        counted = {
            zone: sum(
                per_slot.get(each, 0)
                for each, here in enumerate(ZONES)
                if here == zone and (not eligible or eligible[each])
            )
            for each, zone in enumerate(ZONES)
            if zone and (not eligible or eligible[each])
        }
        assert {zone: domains.sums.get(zone, 0) for zone in counted} == counted
        assert domains.total == sum(counted.values())
        if eligible is not None:
            assert domains.minimum == min(counted.values(), default=0)
        assert shifted == (before != (domains.minimum, not domains.total))
