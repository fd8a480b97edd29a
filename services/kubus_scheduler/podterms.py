"""Terms about other pods: affinity, anti-affinity and topology spread, parsed.

All of them say: count the pods that a selector picks, by the value of a label of the nodes they are on (the
topology key, which cuts the nodes into domains). What differs is what follows from the count.

`PodSelector` is a value: pods of different Deployments with the same selector share the counting.

Follows https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/ and
…/assign-pod-node/#inter-pod-affinity-and-anti-affinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kubus.model.node_selectors import Requirement, Requirements, all_match, from_selector


class PodSelector(NamedTuple):
    """Which pods a term is about."""

    namespaces: frozenset[str]
    namespace_rules: Requirements | None
    """Or else: pods of namespaces with such labels. None: no further namespaces."""
    rules: Requirements | None
    """None picks no pod."""

    @property
    def keys(self) -> frozenset[str]:
        """The label keys that decide whether a pod is picked."""
        return frozenset(rule.key for rule in self.rules or ())

    def picks(self, namespace: str, labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> bool:
        """Whether a pod of the namespace with these labels is meant."""
        if self.rules is None or not all_match(self.rules, labels):
            return False
        if namespace in self.namespaces:
            return True
        return self.namespace_rules is not None and all_match(self.namespace_rules, namespace_labels)


class PodTerm(NamedTuple):
    """An affinity or anti-affinity term."""

    selector: PodSelector
    topology_key: str


class Weighted(NamedTuple):
    """A preferred term; the weight is negative for anti-affinity."""

    weight: int
    term: PodTerm


class SpreadRule(NamedTuple):
    """A topology spread constraint."""

    topology_key: str
    max_skew: int
    min_domains: int
    selector: PodSelector
    hard: bool
    """DoNotSchedule; else it is only a preference."""
    honors_node_rule: bool
    """Nodes that the pod's node affinity excludes do not count."""
    honors_taints: bool
    """Nodes with taints that the pod does not tolerate do not count."""


class PodTerms(NamedTuple):
    """A pod's terms about other pods."""

    required: tuple[PodTerm, ...]
    forbidden: tuple[PodTerm, ...]
    preferred: tuple[Weighted, ...]


def match_label_keys(spec: dict[str, Any]) -> set[str]:
    """The label keys whose values, taken from the pod itself, complete its selectors."""
    found: set[str] = set()
    for each in spec.get("topologySpreadConstraints") or ():
        found.update(each.get("matchLabelKeys") or ())
    for term in _all_terms(spec.get("affinity") or {}):
        found.update(term.get("matchLabelKeys") or ())
        found.update(term.get("mismatchLabelKeys") or ())
    return found


def _all_terms(affinity: dict[str, Any]) -> list[dict[str, Any]]:
    terms: list[dict[str, Any]] = []
    for side in ("podAffinity", "podAntiAffinity"):
        chosen = affinity.get(side) or {}
        terms += chosen.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for each in chosen.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            terms.append(each.get("podAffinityTerm") or {})
    return terms


def pod_terms(affinity: dict[str, Any], namespace: str, labels: Mapping[str, str]) -> PodTerms:
    """The terms of a pod's affinity."""
    near, apart = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    return PodTerms(
        required=_required(near, namespace, labels),
        forbidden=_required(apart, namespace, labels),
        preferred=_preferred(near, 1, namespace, labels) + _preferred(apart, -1, namespace, labels),
    )


def _required(side: dict[str, Any], namespace: str, labels: Mapping[str, str]) -> tuple[PodTerm, ...]:
    terms = side.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    return tuple(_term(term, namespace, labels) for term in terms)


def _preferred(side: dict[str, Any], sign: int, namespace: str, labels: Mapping[str, str]) -> tuple[Weighted, ...]:
    return tuple(
        Weighted(sign * int(each.get("weight") or 0), _term(each.get("podAffinityTerm") or {}, namespace, labels))
        for each in side.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    )


def _term(term: dict[str, Any], namespace: str, labels: Mapping[str, str]) -> PodTerm:
    namespaces, wider = frozenset(term.get("namespaces") or ()), from_selector(term.get("namespaceSelector"))
    if not namespaces and wider is None:
        namespaces = frozenset((namespace,))
    rules = from_selector(term.get("labelSelector"))
    if rules is not None:
        rules += _own_values(term.get("matchLabelKeys"), "In", labels)
        rules += _own_values(term.get("mismatchLabelKeys"), "NotIn", labels)
    return PodTerm(PodSelector(namespaces, wider, rules), term.get("topologyKey") or "")


def _own_values(keys: list[str] | None, operator: str, labels: Mapping[str, str]) -> Requirements:
    return tuple(Requirement(key, operator, (labels[key],)) for key in keys or () if key in labels)


def spread_rules(spec: dict[str, Any], namespace: str, labels: Mapping[str, str]) -> tuple[SpreadRule, ...]:
    """The topology spread constraints of a pod's spec."""
    found = []
    for each in spec.get("topologySpreadConstraints") or ():
        rules = from_selector(each.get("labelSelector"))
        if rules is not None:
            rules += _own_values(each.get("matchLabelKeys"), "In", labels)
        found.append(
            SpreadRule(
                topology_key=each.get("topologyKey") or "",
                max_skew=int(each.get("maxSkew") or 1),
                min_domains=int(each.get("minDomains") or 1),
                selector=PodSelector(frozenset((namespace,)), None, rules),
                hard=each.get("whenUnsatisfiable") != "ScheduleAnyway",
                honors_node_rule=each.get("nodeAffinityPolicy") != "Ignore",
                honors_taints=each.get("nodeTaintsPolicy") == "Honor",
            )
        )
    return tuple(found)
