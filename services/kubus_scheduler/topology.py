"""Topology: which pods are where, counted for every selector that somebody asks about.

Two sorts of counts are kept, each by node slot, and both change only at the slot where a pod comes or goes:

- a *population*: how many pods a selector picks. Rankings ask for those their template's terms need.
- a *holder*: what pods that run hold against or in favour of pods that a selector picks: required anti-affinity
  repels them, preferred terms pull or push them. They matter to every pod that comes later.

Pods with the same namespace and labels form a *class*; which populations a class belongs to is found once. So the
arrival of a pod costs as much as there are populations that count it, and a new population costs one look at each
class and not at each pod.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from kubus_scheduler.podterms import PodSelector, PodTerm

if TYPE_CHECKING:
    from kubus_scheduler.templates import Pod, Template

REQUIRED_AFFINITY_PULL = 1
"""The weight with which a running pod's required affinity pulls what it wants near (hardPodAffinityWeight)."""
_RELATIONS_MAX = 16_384
ClassKey = tuple[str, tuple[tuple[str, str], ...], bool]


class Population:
    """How many pods all of some selectors pick, by slot."""

    __slots__ = ("deleting_count", "per_slot", "selectors", "users")

    def __init__(self, selectors: tuple[PodSelector, ...], *, deleting_count: bool) -> None:
        self.selectors = selectors
        self.deleting_count = deleting_count
        self.per_slot: dict[int, int] = {}
        self.users = 0


class Holder:
    """What running pods hold against or in favour of others, by slot: pods if hard, else the sum of weights."""

    __slots__ = ("hard", "per_slot", "term")

    def __init__(self, term: PodTerm, *, hard: bool) -> None:
        self.term = term
        self.hard = hard
        self.per_slot: dict[int, int] = {}


class Relation(NamedTuple):
    """How a pod stands to the terms: pods of one template with equal relations are interchangeable."""

    holders: frozenset[Holder]
    """What running pods hold against or in favour of it."""
    picked_by: tuple[bool, ...] = ()
    """Which of its template's own terms pick the pod itself: affinity terms, then spread constraints."""


STRANGER = Relation(frozenset())


class _Class:
    __slots__ = ("deleting", "labels", "namespace", "per_slot", "populations")

    def __init__(self, namespace: str, labels: Mapping[str, str], *, deleting: bool) -> None:
        self.namespace = namespace
        self.labels = labels
        self.deleting = deleting
        self.per_slot: dict[int, int] = {}
        self.populations: list[Population] = []


class Topology:
    """Populations and holders of all pods that have a node."""

    def __init__(self) -> None:
        self._classes: dict[ClassKey, _Class] = {}
        self._populations: dict[tuple[tuple[PodSelector, ...], bool], Population] = {}
        self._holders: dict[tuple[PodTerm, bool], Holder] = {}
        self._mentioned: Counter[str] = Counter()
        self._namespaces: dict[str, dict[str, str]] = {}
        self._namespaces_matter = False
        """Whether a selector has ever asked for a namespace's labels."""
        self._relations: dict[Hashable, Relation] = {}

    def add(self, pod: Pod, slot: int) -> None:
        """A pod is on a node from now on."""
        self._count(pod, slot, 1)

    def remove(self, pod: Pod, slot: int) -> None:
        """A pod is on a node no longer."""
        self._count(pod, slot, -1)

    def _count(self, pod: Pod, slot: int, sign: int) -> None:
        key = (pod.key.namespace, tuple(sorted(pod.labels.items())), pod.deleting)
        found = self._classes.get(key) or self._new_class(key, pod)
        _shift(found.per_slot, slot, sign)
        for population in found.populations:
            _shift(population.per_slot, slot, sign)
        if not found.per_slot:
            del self._classes[key]
        if pod.template.topological:
            for term, hard, weight in _held(pod.template):
                self._hold(term, hard, slot, sign * weight)

    def _new_class(self, key: ClassKey, pod: Pod) -> _Class:
        made = self._classes[key] = _Class(pod.key.namespace, pod.labels, deleting=pod.deleting)
        made.populations = [each for each in self._populations.values() if self._counts(each, made)]
        return made

    def _hold(self, term: PodTerm, hard: bool, slot: int, weight: int) -> None:
        holder = self._holders.get((term, hard))
        if holder is None:
            holder = self._holders[term, hard] = Holder(term, hard=hard)
            self._mention(term, 1)
        _shift(holder.per_slot, slot, weight)
        if not holder.per_slot:
            del self._holders[term, hard]
            self._mention(term, -1)

    def _mention(self, term: PodTerm, sign: int) -> None:
        self._relations.clear()
        self._mentioned.update(dict.fromkeys(term.selector.keys, sign))
        self._mentioned = +self._mentioned

    def _counts(self, population: Population, pods: _Class) -> bool:
        if pods.deleting and not population.deleting_count:
            return False
        return all(self.picks(each, pods.namespace, pods.labels) for each in population.selectors)

    def picks(self, selector: PodSelector, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether a selector picks pods of a namespace with these labels."""
        self._namespaces_matter = self._namespaces_matter or selector.namespace_rules is not None
        return selector.picks(namespace, labels, self._namespaces.get(namespace) or {})

    def population(self, selectors: tuple[PodSelector, ...], *, deleting_count: bool) -> Population:
        """The population of the pods that all selectors pick; `release` it when it is no longer needed."""
        key = (selectors, deleting_count)
        found = self._populations.get(key)
        if found is None:
            found = self._populations[key] = Population(selectors, deleting_count=deleting_count)
            for pods in self._classes.values():
                if self._counts(found, pods):
                    pods.populations.append(found)
                    for slot, count in pods.per_slot.items():
                        _shift(found.per_slot, slot, count)
        found.users += 1
        return found

    def release(self, population: Population) -> None:
        """One user less; a population without any is counted no longer."""
        population.users -= 1
        if population.users <= 0:
            self._populations.pop((population.selectors, population.deleting_count), None)
            for pods in self._classes.values():
                if population in pods.populations:
                    pods.populations.remove(population)

    def relation(self, pod: Pod) -> Relation:
        """How a pod stands to its own terms and to those of running pods."""
        template = pod.template
        if not self._holders and not template.topological:
            return STRANGER
        keys = sorted(template.mentioned.union(self._mentioned))
        memo = (template, pod.key.namespace, tuple(map(pod.labels.get, keys)))
        found = self._relations.get(memo)
        if found is None:
            if len(self._relations) >= _RELATIONS_MAX:
                self._relations.clear()
            found = self._relations[memo] = self._find_relation(pod)
        return found

    def _find_relation(self, pod: Pod) -> Relation:
        def picks(selector: PodSelector) -> bool:
            return self.picks(selector, pod.key.namespace, pod.labels)

        own = [term.selector for term in pod.template.affinity] + [each.selector for each in pod.template.spread]
        holders = frozenset(each for each in self._holders.values() if picks(each.term.selector))
        return Relation(holders, tuple(map(picks, own)))

    def set_namespace(self, name: str, labels: dict[str, str] | None) -> bool:
        """A namespace's labels (None: it is gone). True if somebody asks for such: rankings are void then."""
        if self._namespaces.get(name) == labels:
            return False
        if labels is None:
            del self._namespaces[name]
        else:
            self._namespaces[name] = labels
        if not self._namespaces_matter:
            return False
        self._relations.clear()
        for pods in self._classes.values():
            if pods.namespace == name:
                self._reassign(pods)
        return True

    def _reassign(self, pods: _Class) -> None:
        """Find anew which populations a class belongs to."""
        right = [each for each in self._populations.values() if self._counts(each, pods)]
        for population in self._populations.values():
            sign = (population in right) - (population in pods.populations)
            for slot, count in pods.per_slot.items() if sign else ():
                _shift(population.per_slot, slot, sign * count)
        pods.populations = right


def _held(template: Template) -> list[tuple[PodTerm, bool, int]]:
    """What a pod of the template holds against or in favour of others: (term, hard, weight)."""
    held = [(term, True, 1) for term in template.anti_affinity]
    held += [(term, False, REQUIRED_AFFINITY_PULL) for term in template.affinity]
    held += [(each.term, False, each.weight) for each in template.preferred]
    return held


def _shift(per_slot: dict[int, int], slot: int, change: int) -> None:
    count = per_slot.get(slot, 0) + change
    if count:
        per_slot[slot] = count
    else:
        per_slot.pop(slot, None)
