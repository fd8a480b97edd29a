"""Scores: how good a node is for a pod, 0 to 100 each, weighted as kube-scheduler weighs its plug-ins.

Kubernetes scales some scores by the best node among those that fit, so that one pod's placement can change the
score of every node. Here each score depends on its node (or domain) alone and keeps Kubernetes' *order*: more matching
weight is better, fewer discouraging taints are better, fewer pods of the same owner are better. Only thus can
nodes be kept in a heap, where a placement moves one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubus.model.taints import DISCOURAGING, untolerated
from kubus_scheduler.nodes import NodeFacts

if TYPE_CHECKING:
    from kubus_scheduler.templates import NodeRule

BEST = 100
TAINT_WEIGHT = 3
NODE_AFFINITY_WEIGHT = 2
SPREAD_WEIGHT = 2
POD_AFFINITY_WEIGHT = 2


def node_score(rule: NodeRule, facts: NodeFacts) -> int:
    """What speaks for a node whatever runs there: preferred node affinity, and no taint that discourages."""
    score = TAINT_WEIGHT * (BEST // (1 + len(untolerated(facts.taints, rule.tolerations, DISCOURAGING))))
    if rule.preferred:
        total = sum(weight for weight, _ in rule.preferred)
        found = sum(weight for weight, term in rule.preferred if term.matches(facts.name, facts.labels))
        score += NODE_AFFINITY_WEIGHT * (BEST * found // max(1, total))
    return score


def resource_score(cpu_milli: int, cpu_free_milli: int, memory_bytes: int, memory_free_bytes: int) -> int:
    """Least allocated and balanced allocation: capacities, and what would be left with the pod in place."""
    cpu = BEST * cpu_free_milli // cpu_milli if cpu_free_milli > 0 and cpu_milli else 0
    memory = BEST * memory_free_bytes // memory_bytes if memory_free_bytes > 0 and memory_bytes else 0
    return (cpu + memory) // 2 + BEST - abs(cpu - memory) // 2


def owner_score(pods_of_owner: int) -> int:
    """Spreading a controller's pods over nodes: 100 for a node with none of them, 50 for one, 33 for two."""
    return SPREAD_WEIGHT * (BEST // (1 + pods_of_owner))


def spread_score(excess: int) -> int:
    """A preferred topology spread constraint: how many pods a domain has more than the emptiest."""
    return SPREAD_WEIGHT * (BEST // (1 + max(0, excess)))


def attraction_score(pull: int, scale: int) -> int:
    """Preferred pod affinity: the weights of what is in the domain, negative for what repels; -200 to 200."""
    return POD_AFFINITY_WEIGHT * BEST * pull // (abs(pull) + scale)
