"""The core against a plain implementation: every decision is one of the best of those that the rules allow.

`Oracle` judges every node for every pod from the raw objects, by loops, without any index.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.objects import labels_of, name_of, namespace_of
from kubus.model.taints import FORBIDDING, untolerated
from kubus.testing import builders
from kubus_scheduler import scores
from kubus_scheduler.constraints import HOLDER_SCALE
from kubus_scheduler.core import Bind, Refuse, Scheduler
from kubus_scheduler.filters import check_node, is_affine, named_nodes
from kubus_scheduler.nodes import capacity_of, facts_of
from kubus_scheduler.templates import Parts, parse

Obj = dict[str, Any]


class Oracle:
    """A cluster, judged plainly."""

    def __init__(self) -> None:
        self.nodes: dict[str, Obj] = {}
        self.placed: dict[str, tuple[Obj, str]] = {}
        self.namespaces: dict[str, dict[str, str]] = {}

    @staticmethod
    def parts(pod: Obj) -> Parts:
        return parse(pod["spec"], namespace_of(pod), labels_of(pod))

    @staticmethod
    def owner(pod: Obj) -> str:
        return (pod["metadata"].get("ownerReferences") or [{"uid": ""}])[0]["uid"]

    def on(self, node: str) -> list[Obj]:
        return [pod for pod, where in self.placed.values() if where == node]

    def picks(self, selector: Any, pod: Obj) -> bool:
        namespace = namespace_of(pod)
        return selector.picks(namespace, labels_of(pod), self.namespaces.get(namespace, {}))

    def domain(self, node: str, key: str) -> str | None:
        return labels_of(self.nodes[node]).get(key)

    def count(self, key: str, value: str, wanted: Any, eligible: set[str] | None = None) -> int:
        return sum(
            1
            for pod, where in self.placed.values()
            if where in self.nodes
            and (eligible is None or where in eligible)
            and self.domain(where, key) == value
            and wanted(pod)
        )

    def used(self, node: str) -> tuple[int, int, int, int]:
        needs = [self.parts(pod).needs for pod in self.on(node)]
        return (
            sum(each.cpu_milli for each in needs),
            sum(each.memory_bytes for each in needs),
            sum(each.scored_cpu_milli for each in needs),
            sum(each.scored_memory_bytes for each in needs),
        )

    def allows(self, pod: Obj, node: str) -> bool:
        parts, facts, capacity = self.parts(pod), facts_of(self.nodes[node]), capacity_of(self.nodes[node])
        if check_node(parts.rule, named_nodes(parts.rule), facts) is not None:
            return False
        cpu, memory, _, _ = self.used(node)
        if len(self.on(node)) >= capacity.pods:
            return False
        if parts.needs.cpu_milli and cpu + parts.needs.cpu_milli > capacity.cpu_milli:
            return False
        if parts.needs.memory_bytes and memory + parts.needs.memory_bytes > capacity.memory_bytes:
            return False
        taken = [port for each in self.on(node) for port in self.parts(each).ports]
        if any(port.conflicts(other) for port in parts.ports for other in taken):
            return False
        return self.spreads(pod, parts, node) and self.is_near(pod, parts, node) and self.is_apart(pod, parts, node)

    def eligible(self, parts: Parts, rule: Any) -> set[str]:
        keys = [each.topology_key for each in parts.spread if each.hard == rule.hard]
        found = set()
        for name, node in self.nodes.items():
            facts = facts_of(node)
            if (
                all(key in facts.labels for key in keys)
                and (not rule.honors_node_rule or is_affine(parts.rule, name, facts.labels))
                and not (rule.honors_taints and untolerated(facts.taints, parts.rule.tolerations, FORBIDDING))
            ):
                found.add(name)
        return found

    def spread_counts(self, parts: Parts, rule: Any) -> dict[str, int]:
        eligible = self.eligible(parts, rule)

        def wanted(pod: Obj) -> bool:
            return self.picks(rule.selector, pod) and not pod["metadata"].get("deletionTimestamp")

        values = {self.domain(name, rule.topology_key) for name in eligible}
        return {value: self.count(rule.topology_key, value, wanted, eligible) for value in values if value}

    def spreads(self, pod: Obj, parts: Parts, node: str) -> bool:
        for rule in parts.spread:
            if not rule.hard:
                continue
            value = self.domain(node, rule.topology_key)
            if value is None:
                return False
            counts = self.spread_counts(parts, rule)
            least = min(counts.values(), default=0) if len(counts) >= rule.min_domains else 0
            if counts.get(value, 0) + self.picks(rule.selector, pod) - least > rule.max_skew:
                return False
        return True

    def is_near(self, pod: Obj, parts: Parts, node: str) -> bool:
        if not parts.affinity:
            return True
        values = [self.domain(node, term.topology_key) for term in parts.affinity]
        if None in values:
            return False

        def wanted(other: Obj) -> bool:
            return all(self.picks(term.selector, other) for term in parts.affinity)

        if all(self.count(t.topology_key, v, wanted) for t, v in zip(parts.affinity, values, strict=True) if v):
            return True
        anywhere = any(
            wanted(other) and where in self.nodes and self.domain(where, term.topology_key) is not None
            for other, where in self.placed.values()
            for term in parts.affinity
        )
        return not anywhere and wanted(pod)

    def is_apart(self, pod: Obj, parts: Parts, node: str) -> bool:
        for term in parts.anti_affinity:
            value = self.domain(node, term.topology_key)
            if value is not None and self.count(term.topology_key, value, lambda o, t=term: self.picks(t.selector, o)):
                return False
        for other, where in self.placed.values():
            if where not in self.nodes:
                continue
            for term in self.parts(other).anti_affinity:
                here, there = self.domain(node, term.topology_key), self.domain(where, term.topology_key)
                if here is not None and here == there and self.picks(term.selector, pod):
                    return False
        return True

    def score(self, pod: Obj, node: str) -> int:
        parts, facts, capacity = self.parts(pod), facts_of(self.nodes[node]), capacity_of(self.nodes[node])
        _, _, cpu, memory = self.used(node)
        total = scores.node_score(parts.rule, facts) + scores.resource_score(
            capacity.cpu_milli,
            capacity.cpu_milli - cpu - parts.needs.scored_cpu_milli,
            capacity.memory_bytes,
            capacity.memory_bytes - memory - parts.needs.scored_memory_bytes,
        )
        if self.owner(pod):
            total += scores.owner_score(sum(self.owner(each) == self.owner(pod) for each in self.on(node)))
        for rule in parts.spread:
            value = self.domain(node, rule.topology_key)
            if not rule.hard and value is not None:
                counts = self.spread_counts(parts, rule)
                total += scores.spread_score(counts.get(value, 0) - min(counts.values(), default=0))
        return total + self.attraction(pod, parts, node)

    def attraction(self, pod: Obj, parts: Parts, node: str) -> int:
        total = 0
        scale = max(1, sum(abs(each.weight) for each in parts.preferred))
        for weight, term in parts.preferred:
            value = self.domain(node, term.topology_key)
            if value is not None:
                count = self.count(term.topology_key, value, lambda o, t=term: self.picks(t.selector, o))
                total += scores.attraction_score(weight * count, scale)
        pulls: dict[Any, int] = {}
        for other, where in self.placed.values():
            held = self.parts(other)
            for weight, term in [*((1, each) for each in held.affinity), *held.preferred]:
                value = self.domain(node, term.topology_key)
                if self.picks(term.selector, pod) and value is not None and where in self.nodes:
                    pulls[term] = pulls.get(term, 0) + weight * (self.domain(where, term.topology_key) == value)
        return total + sum(scores.attraction_score(pull, HOLDER_SCALE) for pull in pulls.values())

    def best(self, pod: Obj) -> set[str]:
        found = {node: self.score(pod, node) for node in self.nodes if self.allows(pod, node)}
        return {node for node, score in found.items() if score == max(found.values())}


SELECTORS = ({"matchLabels": {"app": "a"}}, {"matchLabels": {"app": "b"}}, {"matchExpressions": []})
KEYS = ("kubernetes.io/hostname", "zone", "rack")


@st.composite
def term(draw: st.DrawFn) -> Obj:
    made: Obj = {"labelSelector": draw(st.sampled_from(SELECTORS)), "topologyKey": draw(st.sampled_from(KEYS))}
    match draw(st.integers(0, 4)):
        case 0:
            made["namespaceSelector"] = {"matchLabels": {"team": "x"}}
        case 1:
            made["namespaces"] = ["other"]
    return made


def _required(terms: list[Obj]) -> Obj:
    return {"requiredDuringSchedulingIgnoredDuringExecution": terms}


@st.composite
def pod_spec(draw: st.DrawFn) -> Obj:
    spec: Obj = {}
    affinity: Obj = {}
    match draw(st.integers(0, 7)):
        case 0:
            affinity["podAntiAffinity"] = _required(draw(st.lists(term(), min_size=1, max_size=2)))
        case 1:
            affinity["podAffinity"] = _required(draw(st.lists(term(), min_size=1, max_size=2)))
        case 2:
            weighted = [{"weight": draw(st.integers(1, 100)), "podAffinityTerm": draw(term())}]
            side = draw(st.sampled_from(("podAffinity", "podAntiAffinity")))
            affinity[side] = {"preferredDuringSchedulingIgnoredDuringExecution": weighted}
        case 3 | 4:
            spec["topologySpreadConstraints"] = [
                {
                    "topologyKey": draw(st.sampled_from(KEYS)),
                    "maxSkew": draw(st.integers(1, 2)),
                    "minDomains": draw(st.sampled_from((None, 3))),
                    "whenUnsatisfiable": draw(st.sampled_from(("DoNotSchedule", "ScheduleAnyway"))),
                    "labelSelector": draw(st.sampled_from(SELECTORS)),
                    "nodeTaintsPolicy": draw(st.sampled_from(("Ignore", "Honor"))),
                }
                for _ in range(draw(st.integers(1, 2)))
            ]
    if affinity:
        spec["affinity"] = affinity
    if draw(st.integers(0, 3)) == 0:
        spec["nodeSelector"] = {"disk": "ssd"}
    if draw(st.booleans()):
        spec["tolerations"] = [{"key": "t", "operator": "Exists"}]
    return spec


@st.composite
def step(draw: st.DrawFn) -> tuple[str, Any]:
    match draw(st.integers(0, 9)):
        case 0 | 1:
            labels = {"zone": draw(st.sampled_from(("z1", "z2", "z3")))} if draw(st.integers(0, 4)) else {}
            labels |= {"rack": "r1"} if draw(st.booleans()) else {}
            labels |= {"disk": "ssd"} if draw(st.booleans()) else {}
            taint = draw(st.sampled_from(((), ("NoSchedule",), ("PreferNoSchedule",))))
            return "node", {
                "name": f"n{draw(st.integers(0, 5))}",
                "cpu": draw(st.sampled_from(("1", "2"))),
                "pods": draw(st.sampled_from(("2", "9"))),
                "labels": labels,
                "taints": [{"key": "t", "effect": effect} for effect in taint],
                "unschedulable": draw(st.integers(0, 5)) == 0,
            }
        case 2:
            return "gone", draw(st.integers(0, 99))
        case 3:
            return "node gone", f"n{draw(st.integers(0, 5))}"
        case 4:
            return "namespace", draw(st.sampled_from(({"team": "x"}, {})))
        case 5:
            return "deleting", draw(st.integers(0, 99))
    return "pod", {
        "namespace": draw(st.sampled_from(("default", "other"))),
        "cpu": draw(st.sampled_from(("0", "100m", "700m"))),
        "labels": {"app": draw(st.sampled_from("ab"))},
        "owner": draw(st.sampled_from(("", "rs"))),
        "ports": draw(st.sampled_from((None, None, [80]))),
        **draw(pod_spec()),
    }


class Story:
    """One cluster, twice: in the core and in the oracle."""

    def __init__(self, build: Any) -> None:
        self.build = build
        self.core = Scheduler(Random(1))
        self.oracle = Oracle()
        self.now = 0.0
        self.waiting: dict[str, Obj] = {}
        for number in range(3):
            self.tell("node", {"name": f"n{number}", "labels": {"zone": f"z{number}"}, "cpu": "2", "pods": "9"})
        self.tell("namespace", {})

    def tell(self, what: str, value: Any) -> None:
        placed = self.oracle.placed
        if what == "node":
            self.oracle.nodes[value["name"]] = node = self.build.node(**value)
            self.core.set_node(node)
        elif what == "node gone":
            self.oracle.nodes.pop(value, None)
            self.core.remove_node(value)
        elif what == "namespace":
            self.oracle.namespaces["other"] = value
            self.core.set_namespace({"metadata": {"name": "other", "labels": value}}, self.now)
        elif what == "pod":
            name = f"p{len(self.waiting) + len(placed)}-{self.build.revision()}"
            self.waiting[name] = pod = self.build.pod(name, **value)
            self.core.set_pod(pod, self.now)
        elif placed:
            name = sorted(placed)[value % len(placed)]
            pod, node = placed.pop(name)
            if what == "deleting":
                pod = {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
                placed[name] = pod, node
                self.core.set_pod(self.build.bound(pod, node), self.now)
            else:
                self.core.remove_pod(pod_key(self.core, pod))

    def drain(self) -> None:
        """Take every decision, also of pods that had to back off, and hold each against the oracle."""
        binds = 1
        while binds:
            self.now += 11
            binds = self.decide_all()

    def decide_all(self) -> int:
        binds = 0
        while decisions := self.core.decide(self.now, 1):
            decision = decisions[0]
            pod = decision.pod.object
            best = self.oracle.best(pod)
            if isinstance(decision, Refuse):
                assert not best, f"{name_of(pod)} was refused, though it fits on {best}: {decision.message}"
                continue
            assert isinstance(decision, Bind)
            assert decision.node in best, f"{name_of(pod)} went to {decision.node}, the best are {best}"
            binds += 1
            del self.waiting[name_of(pod)]
            self.oracle.placed[name_of(pod)] = pod, decision.node
            self.core.set_pod(self.build.bound(pod, decision.node), self.now)
        return binds


def pod_key(core: Scheduler, pod: Obj) -> Any:
    return core._templates.pod(pod).key


@settings(max_examples=60)
@given(steps=st.lists(step(), min_size=12, max_size=40))
def test_every_decision_is_one_of_the_best_that_a_plain_scheduler_finds(build: Any, steps: list[Any]) -> None:
    story = Story(build)
    for what, value in steps:
        story.tell(what, value)
        story.drain()
        left = {name for name, pod in story.waiting.items() if story.oracle.best(pod)}
        assert not left, f"{left} wait though there is a node for them"


class Confused(Scheduler):
    """Fails on pods of one name, as on something that no check has foreseen."""

    def _best(self, group: Any, owner: str) -> int | None:
        if owner == "bad":
            raise KeyError("unforeseen")
        return super()._best(group, owner)


def test_a_pod_that_cannot_be_judged_backs_off_and_stops_no_other() -> None:
    core = Confused(Random(1))
    core.set_node(builders.node("n"))
    owner = {"kind": "ReplicaSet", "apiVersion": "apps/v1", "metadata": {"name": "bad", "uid": "bad"}}
    core.set_pod(builders.pod("p1", owner=owner, uid="u1", resourceVersion="1"), 0.0)
    core.set_pod(builders.pod("p2", uid="u2", resourceVersion="2"), 0.0)
    first, second = core.decide(0.0, 5)
    assert isinstance(first, Refuse) and "unforeseen" in first.message
    assert isinstance(second, Bind) and second.pod.key.name == "p2"
    assert core.decide(0.1, 5) == []
    assert core.next_due(0.1) is not None
