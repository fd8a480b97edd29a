"""Templates: what scheduling a pod depends on, shared by all pods alike.

Pods come in swarms: a thousand replicas of one Deployment differ in nothing that a filter or a score looks at.
So a pod's spec is reduced to its *signature*, the bytes of just those parts, and equal signatures share one
`Template`, parsed once. Everything costly (which nodes suit, in which order) is then kept per template and not
per pod; see `ranking`. This is the idea of KEP-5598, opportunistic batching.

What a pod's labels mean to others' selectors is not part of the template but of the ranking's key, since labels
such as a StatefulSet's pod name would make every pod a template of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from kubus.model.codec import pack
from kubus.model.node_selectors import NodeTerm, Requirements, from_pairs, required_nodes
from kubus.model.objects import Key, Object, controller_of, is_deleting, labels_of, metadata, revision_of, uid_of
from kubus.model.taints import Toleration, tolerations_of
from kubus_scheduler.needs import HostPort, Needs, needs_of, ports_of
from kubus_scheduler.podterms import PodTerm, SpreadRule, Weighted, match_label_keys, pod_terms, spread_rules

DEFAULT_SCHEDULER = "default-scheduler"
_TEMPLATES_MAX = 16_384
"""Then all are forgotten: pods that hold one keep it, and the next one like it is parsed anew."""


class NodeRule(NamedTuple):
    """Which nodes suit a template whatever runs on them; equal rules share their verdicts."""

    selector: Requirements
    required: tuple[NodeTerm, ...] | None
    """One of them must hold; None: no such condition."""
    preferred: tuple[tuple[int, NodeTerm], ...]
    tolerations: tuple[Toleration, ...]


class Parts(NamedTuple):
    """Everything about a pod that filters and scores look at, but not its owner and labels; terms hold namespaces."""

    needs: Needs
    ports: tuple[HostPort, ...]
    rule: NodeRule
    affinity: tuple[PodTerm, ...]
    anti_affinity: tuple[PodTerm, ...]
    preferred: tuple[Weighted, ...]
    spread: tuple[SpreadRule, ...]


class Template:
    """The parts, interned: compared and hashed by identity."""

    __slots__ = (
        "affinity",
        "anti_affinity",
        "mentioned",
        "needs",
        "ports",
        "preferred",
        "rule",
        "serial",
        "spread",
        "topological",
    )

    def __init__(self, parts: Parts, serial: int) -> None:
        self.serial = serial
        """How many came before it."""
        self.needs = parts.needs
        self.ports = parts.ports
        self.rule = parts.rule
        self.affinity = parts.affinity
        self.anti_affinity = parts.anti_affinity
        self.preferred = parts.preferred
        self.spread = parts.spread
        selectors = [term.selector for term in (*self.affinity, *self.anti_affinity)]
        selectors += [each.term.selector for each in self.preferred] + [each.selector for each in self.spread]
        self.topological = bool(selectors)
        """Whether it matters to the pod which other pods are near."""
        self.mentioned = frozenset(key for selector in selectors for key in selector.keys)
        """Label keys on which it depends whether the pod matches its own terms."""


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """A pod as the scheduler sees it."""

    key: Key
    uid: str
    labels: dict[str, str]
    priority: int
    revision: int
    node: str
    """"" while it waits."""
    owner: str
    """uid of the controller: its pods are spread over nodes."""
    deleting: bool
    template: Template
    object: Object


class Templates:
    """Makes pods of objects, and interns their templates."""

    def __init__(self) -> None:
        self._by_signature: dict[tuple[str, bytes], Template] = {}
        self._by_value: dict[Parts, Template] = {}
        self._count = 0

    def pod(self, obj: Object) -> Pod:
        """The pod of an API object."""
        meta = metadata(obj)
        spec = obj.get("spec") or {}
        return Pod(
            key=Key("pods.core", meta.get("namespace") or "", meta.get("name") or ""),
            uid=uid_of(obj),
            labels=labels_of(obj),
            priority=spec.get("priority") or 0,
            revision=revision_of(obj),
            node=spec.get("nodeName") or "",
            owner=(controller_of(obj) or {}).get("uid") or "",
            deleting=is_deleting(obj),
            template=self.template(obj),
            object=obj,
        )

    def template(self, obj: Object) -> Template:
        """The template that the pod shares with all its like."""
        spec, namespace = obj.get("spec") or {}, metadata(obj).get("namespace") or ""
        signature = (namespace, _signature(spec, labels_of(obj)))
        found = self._by_signature.get(signature)
        if found is None:
            if len(self._by_signature) >= _TEMPLATES_MAX:
                self._by_signature.clear()
                self._by_value.clear()
            parts = parse(spec, namespace, labels_of(obj))
            found = self._by_value.get(parts) or self._new(parts)
            self._by_signature[signature] = found
        return found

    def _new(self, parts: Parts) -> Template:
        self._count += 1
        made = self._by_value[parts] = Template(parts, self._count)
        return made


def _signature(spec: dict[str, Any], labels: dict[str, str]) -> bytes:
    affinity, spread = spec.get("affinity"), spec.get("topologySpreadConstraints")
    parts = [
        [(each.get("resources"), each.get("ports")) for each in spec.get("containers") or ()],
        [
            (each.get("resources"), each.get("ports"), each.get("restartPolicy"))
            for each in spec.get("initContainers") or ()
        ],
        spec.get("resources"),
        spec.get("overhead"),
        spec.get("nodeSelector"),
        spec.get("tolerations"),
        affinity,
        spread,
    ]
    if affinity or spread:
        parts.append([(key, labels.get(key)) for key in sorted(match_label_keys(spec))])
    return pack(parts)


def parse(spec: dict[str, Any], namespace: str, labels: dict[str, str]) -> Parts:
    """The parts of a pod's spec that matter; `labels` serve `matchLabelKeys` only."""
    affinity = spec.get("affinity") or {}
    terms = pod_terms(affinity, namespace, labels)
    return Parts(
        needs=needs_of(spec),
        ports=ports_of(spec),
        rule=_node_rule(spec, affinity.get("nodeAffinity") or {}),
        affinity=terms.required,
        anti_affinity=terms.forbidden,
        preferred=terms.preferred,
        spread=spread_rules(spec, namespace, labels),
    )


def _node_rule(spec: dict[str, Any], affinity: dict[str, Any]) -> NodeRule:
    return NodeRule(
        selector=from_pairs(spec.get("nodeSelector")),
        required=required_nodes(spec),
        preferred=tuple(
            (int(each.get("weight") or 0), NodeTerm.of(each.get("preference") or {}))
            for each in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        ),
        tolerations=tolerations_of(spec),
    )
