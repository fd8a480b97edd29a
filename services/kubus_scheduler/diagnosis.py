"""Diagnosis: why no node can take a pod, said as kube-scheduler says it.

    0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {key: value}.

Kubernetes then adds why evicting others would not help. That sentence is added here only where it can be exact:
if no pod of a lower priority runs anywhere, there is no victim on any node.
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

    def message(self, nodes: int, *, victims: bool, preempts: bool = True) -> str:
        """The whole sentence. `victims`: whether pods of a lower priority run; `preempts`: whether it may evict any."""
        if not nodes:
            return NO_NODES
        reasons: Counter[str] = Counter()
        for failure, count in self._counts.items():
            if failure is not NO_NODE:
                reasons.update(dict.fromkeys(failure.reasons, count))
        sentence = _sentence(nodes, reasons)
        if not preempts:
            return f"{sentence} preemption: not eligible due to preemptionPolicy=Never."
        return sentence if victims else f"{sentence} preemption: {self._preemption(nodes)}"

    def _preemption(self, nodes: int) -> str:
        outcomes: Counter[str] = Counter()
        for failure, count in self._counts.items():
            if failure is NO_NODE:
                continue
            if failure.resolvable:
                outcomes["No preemption victims found for incoming pod"] += count
            else:
                outcomes["Preemption is not helpful for scheduling"] += count
        return _sentence(nodes, outcomes)


def _sentence(nodes: int, reasons: Counter[str]) -> str:
    parts = sorted(f"{count} {reason}" for reason, count in reasons.items())
    return f"0/{nodes} nodes are available: {', '.join(parts)}."
