"""Filters: why a pod cannot go to a node, in Kubernetes' words.

The order is that of kube-scheduler's plug-ins, and like there the first plug-in that objects gives the reason.

`check_node` looks at facts only, so its verdict is kept per rule and node (`suitability`); `check_room` looks at
what is left on the node. Filters about other pods are in `constraints`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from kubus.model.node_selectors import NodeTerm, all_match
from kubus.model.taints import FORBIDDING, UNSCHEDULABLE, untolerated
from kubus_scheduler.needs import HostPort, Needs
from kubus_scheduler.nodes import NodeFacts

if TYPE_CHECKING:
    from kubus_scheduler.snapshot import Snapshot
    from kubus_scheduler.templates import NodeRule, Template


class Failure(NamedTuple):
    """Why a plug-in refuses a node."""

    plugin: str
    reasons: tuple[str, ...]


NO_NODE = Failure("NodeName", ("node(s) are gone",))
CORDONED = Failure("NodeUnschedulable", ("node(s) were unschedulable",))
NOT_NAMED = Failure("NodeAffinity", ("node(s) didn't satisfy plugin(s) [NodeAffinity]",))
NOT_AFFINE = Failure("NodeAffinity", ("node(s) didn't match Pod's node affinity/selector",))
PORTS_TAKEN = Failure("NodePorts", ("node(s) didn't have free ports for the requested pod ports",))
NO_SPREAD_LABEL = Failure(
    "PodTopologySpread", ("node(s) didn't match pod topology spread constraints (missing required label)",)
)
SKEWED = Failure("PodTopologySpread", ("node(s) didn't match pod topology spread constraints",))
NOT_NEAR = Failure("InterPodAffinity", ("node(s) didn't match pod affinity rules",))
NOT_APART = Failure("InterPodAffinity", ("node(s) didn't match pod anti-affinity rules",))
REPELLED = Failure("InterPodAffinity", ("node(s) didn't satisfy existing pods anti-affinity rules",))
TOPOLOGICAL = frozenset(("PodTopologySpread", "InterPodAffinity"))


def check_node(rule: NodeRule, named: frozenset[str] | None, facts: NodeFacts) -> Failure | None:
    """Why a node does not suit a rule, whatever runs there; `named` is `named_nodes(rule)`."""
    if named is not None and facts.name not in named:
        return NOT_NAMED
    if facts.unschedulable and not any(each.tolerates(UNSCHEDULABLE) for each in rule.tolerations):
        return CORDONED
    unbearable = untolerated(facts.taints, rule.tolerations, FORBIDDING)
    if unbearable:
        taint = unbearable[0]
        return Failure("TaintToleration", (f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}",))
    return None if is_affine(rule, facts.name, facts.labels) else NOT_AFFINE


def is_affine(rule: NodeRule, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a node fulfils the pod's nodeSelector and required node affinity."""
    if not all_match(rule.selector, labels):
        return False
    return rule.required is None or any(term.matches(name, labels) for term in rule.required)


def named_nodes(rule: NodeRule) -> frozenset[str] | None:
    """The nodes that the rule asks for by name, as those of daemons do; None where it does not."""
    if not rule.required:
        return None
    names: set[str] = set()
    for term in rule.required:
        asked = _names(term)
        if asked is None:
            return None
        names |= asked
    return frozenset(names)


def _names(term: NodeTerm) -> set[str] | None:
    sets = [set(each.values) for each in term.fields if each.key == "metadata.name" and each.operator == "In"]
    return set.intersection(*sets) if sets else None


def is_short(needs: Needs, snapshot: Snapshot, slot: int) -> bool:
    """Whether `check_resources` would object: the same conditions, without the words."""
    if snapshot.free_pods[slot] < 1 or (needs.cpu_milli > snapshot.free_cpu[slot] and needs.cpu_milli > 0):
        return True
    if needs.memory_bytes > snapshot.free_memory[slot] and needs.memory_bytes > 0:
        return True
    if needs.ephemeral_bytes > 0 and needs.ephemeral_bytes > snapshot.free_ephemeral[slot]:
        return True
    if not needs.extended:
        return False
    free = snapshot.free_extended[slot]
    return any(count > free.get(name, 0) for name, count in needs.extended)


def check_room(template: Template, snapshot: Snapshot, slot: int) -> Failure | None:
    """Why a node has no room for a pod: host ports first, then resources."""
    if template.ports and ports_taken(template.ports, snapshot.ports[slot]):
        return PORTS_TAKEN
    return check_resources(template, snapshot, slot)


def ports_taken(wanted: tuple[HostPort, ...], taken: Mapping[HostPort, int]) -> bool:
    """Whether one of the ports wanted conflicts with one that is taken."""
    return any(port.conflicts(other) for port in wanted for other in taken)


def check_resources(template: Template, snapshot: Snapshot, slot: int) -> Failure | None:
    """Every resource that is short, in one failure."""
    needs = template.needs
    reasons = ["Too many pods"] if snapshot.free_pods[slot] < 1 else []
    for name, need, free in (
        ("cpu", needs.cpu_milli, snapshot.free_cpu[slot]),
        ("memory", needs.memory_bytes, snapshot.free_memory[slot]),
        ("ephemeral-storage", needs.ephemeral_bytes, snapshot.free_ephemeral[slot]),
        *((name, need, snapshot.free_extended[slot].get(name, 0)) for name, need in needs.extended),
    ):
        if need > 0 and need > free:
            reasons.append(f"Insufficient {name}")
    return Failure("NodeResourcesFit", tuple(reasons)) if reasons else None
