"""The best node, found by small steps: always as good as judging every node anew."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from kubus_scheduler.domains import Layouts
from kubus_scheduler.nodes import capacity_of, facts_of
from kubus_scheduler.ranking import Ranking
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.suitability import Suitability
from kubus_scheduler.templates import Pod, Templates
from kubus_scheduler.topology import Relation

APP = {"matchLabels": {"app": "a"}}
TERM = {"topologyKey": "zone", "labelSelector": APP}
SPREAD = {"topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "labelSelector": APP}
SPECS: dict[str, dict[str, Any]] = {
    "plain": {},
    "near by zone": {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}}},
    "spread over hosts": {"topologySpreadConstraints": [SPREAD]},
    "spread over zones": {"topologySpreadConstraints": [{**SPREAD, "topologyKey": "zone"}]},
    "rather spread": {
        "topologySpreadConstraints": [
            {**SPREAD, "whenUnsatisfiable": "ScheduleAnyway"},
            {**SPREAD, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
        ]
    },
}


class Stage:
    """Thirty nodes in three zones, and rankings over them."""

    def __init__(self, build: Any, seed: int) -> None:
        self.build = build
        self.random = Random(seed)
        self.snapshot = Snapshot()
        self.templates = Templates()
        self.layouts = Layouts(self.snapshot)
        self.placed: list[tuple[Pod, str]] = []
        self.rankings: dict[Relation, Ranking] = {}
        for number in range(30):
            self.node(number)

    def node(self, number: int) -> None:
        labels = {"zone": f"z{number % 3}"}
        node = self.build.node(f"n{number}", cpu=str(self.random.randint(1, 4)), labels=labels)
        self.snapshot.set_node(facts_of(node), capacity_of(node))

    def pod(self, spec: dict[str, Any], app: str = "a") -> Pod:
        name = f"p{self.build.revision()}"
        return self.templates.pod(self.build.pod(name, cpu="300m", labels={"app": app}, owner="rs", **spec))

    def kept(self, pod: Pod) -> Ranking:
        """The one ranking of the pod's group, as the core keeps it."""
        relation = self.snapshot.topology.relation(pod)
        if relation not in self.rankings:
            self.rankings[relation] = self.ranking(pod)
        return self.rankings[relation]

    def ranking(self, pod: Pod, *, own: bool = True) -> Ranking:
        group = (pod.template, self.snapshot.topology.relation(pod))
        suitability = Suitability(pod.template.rule, self.snapshot)
        return Ranking(group, self.snapshot, suitability, self.layouts, self.random, owner=pod.owner if own else "")

    def place(self, pod: Pod, slot: int) -> None:
        facts = self.snapshot.facts[slot]
        assert facts is not None
        self.placed.append((pod, facts.name))
        self.snapshot.place(pod, facts.name)

    def stir(self) -> None:
        """Something else happens."""
        match self.random.randrange(5):
            case 0 if self.placed:
                self.snapshot.withdraw(*self.placed.pop(self.random.randrange(len(self.placed))))
            case 1:
                self.node(self.random.randrange(33))
            case 2:
                self.snapshot.remove_node(f"n{self.random.randrange(33)}")
            case 3:
                self.place(self.pod({}, "b"), next(iter(self.snapshot.slots.values())))


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("seed", range(3))
def test_the_best_is_as_good_as_any(build: Any, name: str, seed: int) -> None:
    stage = Stage(build, seed)
    pod = stage.pod(SPECS[name])
    for _ in range(150):
        ranking, fresh = stage.kept(pod), stage.ranking(pod)
        scores = [fresh.score(slot) for slot in stage.snapshot.slots.values()]
        most = max((score for score in scores if score is not None), default=None)
        best = ranking.best()
        assert (None if best is None else fresh.score(best)) == most
        assert (None if best is None else ranking.score(best)) == most
        assert (ranking.diagnosis().plugins == frozenset()) == all(score is not None for score in scores)
        fresh.close()
        if best is not None and stage.random.random() < 0.7:
            stage.place(stage.pod(SPECS[name]), best)
        stage.stir()
    for ranking in stage.rankings.values():
        ranking.close()
    assert not stage.snapshot.topology._populations, "a closed ranking has nothing counted for it"


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("seed", range(3))
def test_a_ranking_for_all_owners_finds_as_good_a_node_as_the_owners_own(build: Any, name: str, seed: int) -> None:
    stage = Stage(build, seed)
    pod = stage.pod(SPECS[name])
    for _ in range(100):
        own, shared = stage.ranking(pod), stage.ranking(pod, own=False)
        best, shared_best = own.best(), shared.best(stage.snapshot.owners.get("rs", {}))
        assert (best is None) == (shared_best is None)
        if best is not None and shared_best is not None:
            assert own.score(best) == own.score(shared_best)
            stage.place(stage.pod(SPECS[name]), best)
        stage.stir()


def test_pods_of_an_owner_are_spread_over_equal_nodes(build: Any) -> None:
    stage = Stage(build, 1)
    for number in range(30):
        node = build.node(f"n{number}", labels={"zone": "z"})
        stage.snapshot.set_node(facts_of(node), capacity_of(node))
    ranking = stage.ranking(stage.pod({}))
    chosen = []
    for _ in range(30):
        slot = ranking.best()
        assert slot is not None
        chosen.append(slot)
        stage.place(stage.pod({}), slot)
    assert sorted(chosen) == list(range(30))


def test_among_equals_the_order_is_random_but_repeatable(build: Any) -> None:
    def first(seed: int) -> int | None:
        stage = Stage(build, 0)
        for number in range(30):
            node = build.node(f"n{number}")
            stage.snapshot.set_node(facts_of(node), capacity_of(node))
        stage.random = Random(seed)
        return stage.ranking(stage.pod({})).best()

    assert first(1) == first(1)
    assert len({first(seed) for seed in range(10)}) > 3


def test_a_long_life_leaves_no_long_heap(build: Any) -> None:
    stage = Stage(build, 0)
    ranking = stage.ranking(stage.pod({}))
    for _ in range(5000):
        slot = ranking.best()
        assert slot is not None
        pod = stage.pod({})
        stage.place(pod, slot)
        stage.snapshot.withdraw(*stage.placed.pop())
    assert sum(map(len, ranking._heaps.values())) <= 1025
