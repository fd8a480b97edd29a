"""Which nodes are meant: requirements on labels, the atoms of node affinity, pod affinity and topology spread.

Node selectors, label selectors and namespace selectors are all conjunctions of `key operator values`; they differ
in where they are written and in whether `Gt` and `Lt` may occur. Here they are compiled once per pod template
into tuples that hash and compare, so that equal selectors of different pods share their work. Scheduler and DaemonSets
ask here, so that nobody makes a pod for a node that the scheduler will not give it.

Follows https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Requirement(NamedTuple):
    """One condition on a set of labels."""

    key: str
    operator: str
    """In, NotIn, Exists, DoesNotExist, Gt or Lt."""
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil it; an unknown operator is never fulfilled."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case "Gt" | "Lt":
                return value is not None and self._compares(value)
        return False

    def _compares(self, value: str) -> bool:
        try:
            here, bound = int(value), int(self.values[0])
        except (ValueError, IndexError):
            return False
        return here > bound if self.operator == "Gt" else here < bound


Requirements = tuple[Requirement, ...]
"""All of them must hold; none at all hold always."""


def all_match(requirements: Requirements, labels: Mapping[str, str]) -> bool:
    """Whether the labels fulfil every requirement."""
    return all(each.matches(labels) for each in requirements)


def from_pairs(pairs: Mapping[str, str] | None) -> Requirements:
    """The requirements of `matchLabels` or of a pod's nodeSelector."""
    return tuple(Requirement(key, "In", (value,)) for key, value in sorted((pairs or {}).items()))


def from_expressions(expressions: list[dict[str, Any]] | None) -> Requirements:
    """The requirements of `matchExpressions` or `matchFields`."""
    return tuple(
        Requirement(each.get("key") or "", each.get("operator") or "", tuple(each.get("values") or ()))
        for each in expressions or ()
    )


def from_selector(selector: dict[str, Any] | None) -> Requirements | None:
    """The requirements of a LabelSelector; None for no selector, which selects nothing."""
    if selector is None:
        return None
    return from_pairs(selector.get("matchLabels")) + from_expressions(selector.get("matchExpressions"))


class NodeTerm(NamedTuple):
    """One term of a node selector: conditions on a node's labels and on its name."""

    labels: Requirements
    fields: Requirements

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a node fulfils the term; an empty term is fulfilled by none."""
        if not self.labels and not self.fields:
            return False
        return all_match(self.labels, labels) and all_match(self.fields, {"metadata.name": name})

    @classmethod
    def of(cls, term: dict[str, Any]) -> NodeTerm:
        """The term of a NodeSelectorTerm object."""
        return cls(from_expressions(term.get("matchExpressions")), from_expressions(term.get("matchFields")))


def required_nodes(pod_spec: dict[str, Any]) -> tuple[NodeTerm, ...] | None:
    """The terms of a pod's required node affinity, one of which a node has to fulfil; None if it has none."""
    affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else tuple(NodeTerm.of(each) for each in required.get("nodeSelectorTerms") or ())
