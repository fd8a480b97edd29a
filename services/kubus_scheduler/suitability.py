"""Suitability: for every node whether it suits a rule and how well, whatever runs there.

Templates that differ in their requests only share one of these, and a node is judged again only when its facts
are others than those the verdict was given on.
"""

from __future__ import annotations

from kubus_scheduler.filters import NO_NODE, Failure, check_node, named_nodes
from kubus_scheduler.nodes import NodeFacts
from kubus_scheduler.scores import node_score
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.templates import NodeRule


class Suitability:
    """Verdicts (None: it suits) and scores of a rule, by slot."""

    def __init__(self, rule: NodeRule, snapshot: Snapshot) -> None:
        self._rule = rule
        self._named = named_nodes(rule)
        self._snapshot = snapshot
        self._seen: list[NodeFacts | None] = []
        self.verdicts: list[Failure | None] = []
        self.scores: list[int] = []
        self.refresh_all()

    def refresh_all(self) -> None:
        """Judge every node whose facts have changed."""
        facts, seen = self._snapshot.facts, self._seen
        missing = len(facts) - len(seen)
        if missing > 0:
            seen += [None] * missing
            self.verdicts += [NO_NODE] * missing
            self.scores += [0] * missing
        for slot, found in enumerate(facts):
            if found is not seen[slot]:
                self._judge(slot, found)

    def refresh(self, slot: int) -> None:
        """Judge one node, if its facts have changed."""
        if slot >= len(self._seen):
            self.refresh_all()
        found = self._snapshot.facts[slot]
        if found is not self._seen[slot]:
            self._judge(slot, found)

    def _judge(self, slot: int, facts: NodeFacts | None) -> None:
        self._seen[slot] = facts
        self.verdicts[slot] = NO_NODE if facts is None else check_node(self._rule, self._named, facts)
        self.scores[slot] = 0 if facts is None else node_score(self._rule, facts)
