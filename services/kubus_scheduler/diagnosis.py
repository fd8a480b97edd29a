"""Diagnosis: why no node can take a pod, said as kube-scheduler says it.

    0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {key: value}.

Kubernetes adds a sentence on preemption; this scheduler does not preempt, so it says nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kubus_scheduler.filters import NO_NODE, Failure

NO_NODES = "no nodes available to schedule pods"


class Diagnosis:
    """The failure of each slot, and how often each occurs. Empty slots (`NO_NODE`) do not count."""

    def __init__(self, failures: Iterable[Failure | None]) -> None:
        self._by_slot = list(failures)
        self._counts = Counter(each for each in self._by_slot if each is not None)

    def set(self, slot: int, failure: Failure | None) -> None:
        """A slot has another failure now."""
        old = self._by_slot[slot]
        if old is not None:
            self._counts[old] -= 1
            if not self._counts[old]:
                del self._counts[old]
        if failure is not None:
            self._counts[failure] += 1
        self._by_slot[slot] = failure

    @property
    def plugins(self) -> frozenset[str]:
        """The plug-ins that objected to some node."""
        return frozenset(failure.plugin for failure in self._counts if failure is not NO_NODE)

    def message(self, nodes: int) -> str:
        """The event's sentence: per reason, how many of so many nodes."""
        if not nodes:
            return NO_NODES
        reasons: Counter[str] = Counter()
        for failure, count in self._counts.items():
            if failure is not NO_NODE:
                reasons.update(dict.fromkeys(failure.reasons, count))
        return _sentence(nodes, reasons)


def _sentence(nodes: int, reasons: Counter[str]) -> str:
    parts = sorted(f"{count} {reason}" for reason, count in reasons.items())
    return f"0/{nodes} nodes are available: {', '.join(parts)}."
