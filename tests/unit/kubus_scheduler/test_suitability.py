"""Verdicts about nodes, kept."""

from __future__ import annotations

from typing import Any

from kubus_scheduler.nodes import capacity_of, facts_of
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.suitability import Suitability
from kubus_scheduler.templates import Templates


def put(snapshot: Snapshot, node: Any) -> None:
    snapshot.set_node(facts_of(node), capacity_of(node))


def test_a_verdict_follows_the_facts_of_its_node(build: Any) -> None:
    snapshot = Snapshot()
    put(snapshot, build.node("a", labels={"disk": "ssd"}))
    suits = Suitability(Templates().pod(build.pod("p", nodeSelector={"disk": "ssd"})).template.rule, snapshot)
    assert suits.verdicts == [None]
    put(snapshot, build.node("a"))
    suits.refresh(0)
    assert suits.verdicts[0] is not None
    put(snapshot, build.node("b", labels={"disk": "ssd"}))
    suits.refresh(1)
    assert suits.verdicts[1] is None


def test_a_slot_without_a_node_suits_nobody(build: Any) -> None:
    snapshot = Snapshot()
    put(snapshot, build.node("a"))
    suits = Suitability(Templates().pod(build.pod("p")).template.rule, snapshot)
    snapshot.remove_node("a")
    suits.refresh_all()
    assert suits.verdicts[0] is not None
