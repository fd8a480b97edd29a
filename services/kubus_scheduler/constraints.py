"""Constraints: what a template's terms about other pods say of a domain.

Each is asked with the value that a node has for the constraint's topology key (None: the node lacks the label)
and either objects, with Kubernetes' reason, or contributes to the score. None knows about nodes, so one answer
serves all nodes of a domain.
"""

from __future__ import annotations

from typing import Protocol

from kubus.model.taints import FORBIDDING, untolerated
from kubus_scheduler.domains import Domains, Layouts
from kubus_scheduler.filters import NO_SPREAD_LABEL, NOT_APART, NOT_NEAR, REPELLED, SKEWED, Failure, is_affine
from kubus_scheduler.podterms import PodTerm, SpreadRule
from kubus_scheduler.scores import attraction_score, spread_score
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.templates import Template
from kubus_scheduler.topology import Holder, Population, Relation

HOLDER_SCALE = 100
"""The pull of running pods' terms that makes half of the score's range."""


class Constraint(Protocol):
    """What one term says of a domain."""

    domains: Domains
    key: str

    def check(self, value: str | None) -> Failure | None:
        """Why no pod of the template may go there."""

    def score(self, value: str | None) -> int:
        """What speaks for going there."""


class Spread:
    """A topology spread constraint."""

    def __init__(self, rule: SpreadRule, domains: Domains, *, counts_itself: bool) -> None:
        self.key = rule.topology_key
        self.domains = domains
        self._rule = rule
        self._itself = int(counts_itself)

    def check(self, value: str | None) -> Failure | None:
        """Objects if the domain would then have over `max_skew` more pods than the emptiest."""
        if not self._rule.hard:
            return None
        if value is None:
            return NO_SPREAD_LABEL
        domains = self.domains
        least = domains.minimum if len(domains.sums) >= self._rule.min_domains else 0
        skew = domains.sums.get(value, 0) + self._itself - least
        return SKEWED if skew > self._rule.max_skew else None

    def score(self, value: str | None) -> int:
        """The emptier the domain the better; a node outside all domains gets nothing."""
        if self._rule.hard or value is None:
            return 0
        return spread_score(self.domains.sums.get(value, 0) - self.domains.minimum)


class Near:
    """A required affinity term."""

    def __init__(self, key: str, domains: Domains, together: list[Domains], *, picks_itself: bool) -> None:
        self.key = key
        self.domains = domains
        self._together = together
        self._picks_itself = picks_itself

    def check(self, value: str | None) -> Failure | None:
        """Objects unless a wanted pod is there, or there is none anywhere and the pod itself is the first of them."""
        if value is None:
            return NOT_NEAR
        if self.domains.sums.get(value, 0) > 0:
            return None
        first = self._picks_itself and not any(each.total for each in self._together)
        return None if first else NOT_NEAR

    def score(self, value: str | None) -> int:
        """Nothing."""
        return 0


class Apart:
    """A required anti-affinity term: the pod's own, or one that running pods hold against it."""

    def __init__(self, key: str, domains: Domains, failure: Failure) -> None:
        self.key = key
        self.domains = domains
        self._failure = failure

    def check(self, value: str | None) -> Failure | None:
        """Objects if there is such a pod."""
        return self._failure if value is not None and self.domains.sums.get(value, 0) > 0 else None

    def score(self, value: str | None) -> int:
        """Nothing."""
        return 0


class Pull:
    """A preferred term, the pod's own or one that running pods hold."""

    def __init__(self, key: str, domains: Domains, weight: int, scale: int) -> None:
        self.key = key
        self.domains = domains
        self._weight = weight
        self._scale = scale

    def check(self, value: str | None) -> Failure | None:
        """Nothing."""
        return None

    def score(self, value: str | None) -> int:
        """The more such pods, the better or the worse."""
        return 0 if value is None else attraction_score(self._weight * self.domains.sums.get(value, 0), self._scale)


class Constraints:
    """All constraints of a template, and the populations that they count. `close` lets the populations go."""

    def __init__(self, template: Template, relation: Relation, snapshot: Snapshot, layouts: Layouts) -> None:
        self._template = template
        self._relation = relation
        self._snapshot = snapshot
        self._layouts = layouts
        self._populations: list[Population] = []
        holders = relation.holders
        self.all: list[Constraint] = [
            *self._spreads(),
            *self._nears(),
            *(Apart(term.topology_key, self._domains(term), NOT_APART) for term in template.anti_affinity),
            *(Apart(each.term.topology_key, self._held(each), REPELLED) for each in holders if each.hard),
            *self._pulls(),
            *(Pull(each.term.topology_key, self._held(each), 1, HOLDER_SCALE) for each in holders if not each.hard),
        ]

    def close(self) -> None:
        """The constraints are used no longer."""
        for population in self._populations:
            self._snapshot.topology.release(population)
        self._populations = []

    def _count(self, selectors: tuple[PodTerm, ...] | SpreadRule) -> dict[int, int]:
        if isinstance(selectors, SpreadRule):
            population = self._snapshot.topology.population((selectors.selector,), deleting_count=False)
        else:
            picked = tuple(term.selector for term in selectors)
            population = self._snapshot.topology.population(picked, deleting_count=True)
        self._populations.append(population)
        return population.per_slot

    def _domains(self, term: PodTerm) -> Domains:
        return Domains(self._layouts.of(term.topology_key), self._count((term,)))

    def _held(self, holder: Holder) -> Domains:
        return Domains(self._layouts.of(holder.term.topology_key), holder.per_slot)

    def _spreads(self) -> list[Constraint]:
        itself = self._relation.picked_by[len(self._template.affinity) :]
        return [
            Spread(
                rule,
                Domains(self._layouts.of(rule.topology_key), self._count(rule), self._eligible(rule)),
                counts_itself=counted,
            )
            for rule, counted in zip(self._template.spread, itself, strict=True)
        ]

    def _eligible(self, rule: SpreadRule) -> list[bool]:
        """Which nodes count for a spread constraint: those with all keys, and where the pod might go if it asks so."""
        template = self._template
        keys = [each.topology_key for each in template.spread if each.hard == rule.hard]
        return [
            facts is not None
            and all(key in facts.labels for key in keys)
            and (not rule.honors_node_rule or is_affine(template.rule, facts.name, facts.labels))
            and (not rule.honors_taints or not untolerated(facts.taints, template.rule.tolerations, FORBIDDING))
            for facts in self._snapshot.facts
        ]

    def _nears(self) -> list[Constraint]:
        template = self._template
        if not template.affinity:
            return []
        itself = all(self._relation.picked_by[: len(template.affinity)])
        counts = self._count(template.affinity)
        together = [Domains(self._layouts.of(term.topology_key), counts) for term in template.affinity]
        return [
            Near(term.topology_key, domains, together, picks_itself=itself)
            for term, domains in zip(template.affinity, together, strict=True)
        ]

    def _pulls(self) -> list[Constraint]:
        template = self._template
        scale = max(1, sum(abs(each.weight) for each in template.preferred))
        return [
            Pull(each.term.topology_key, self._domains(each.term), each.weight, scale) for each in template.preferred
        ]
