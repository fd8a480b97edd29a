"""Which pods are where: populations and holders are what counting plainly gives."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.node_selectors import Requirement
from kubus_scheduler.podterms import PodSelector
from kubus_scheduler.templates import Pod, Templates
from kubus_scheduler.topology import STRANGER, Topology

TEMPLATES = Templates()
APP_A = (Requirement("app", "In", ("a",)),)
TEAM_X = (Requirement("team", "In", ("x",)),)
SELECTORS = (
    PodSelector(frozenset(("default",)), None, APP_A),
    PodSelector(frozenset(), TEAM_X, ()),
    PodSelector(frozenset(("default", "other")), None, (Requirement("app", "Exists"),)),
    PodSelector(frozenset(("default",)), None, None),
)
ANTI = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "a"}}}
        ]
    }
}
STEP = st.tuples(st.sampled_from(("add", "remove", "team", "ask", "release")), st.integers(0, 7), st.integers(0, 2))


@settings(max_examples=100)
@given(steps=st.lists(STEP, max_size=40))
def test_a_population_is_what_its_selector_picks(build: Any, steps: list[tuple[str, int, int]]) -> None:
    topology, teams = Topology(), {"default": {}, "other": {}}
    placed: dict[int, tuple[Pod, int]] = {}
    asked: list[Any] = []
    for what, number, slot in steps:
        match what:
            case "add" if number not in placed:
                namespace, labels = ("default", "other")[number % 2], {"app": "ab"[number // 2 % 2]}
                pod = TEMPLATES.pod(build.pod(f"p{number}", namespace=namespace, labels=labels))
                placed[number] = pod, slot
                topology.add(pod, slot)
            case "remove" if number in placed:
                topology.remove(*placed.pop(number))
            case "team":
                teams["other"] = {"team": "x"} if number % 2 else {}
                topology.set_namespace("other", teams["other"])
            case "ask":
                asked.append(topology.population((SELECTORS[number % 4],), deleting_count=True))
            case "release" if asked:
                topology.release(asked.pop())
        for population in asked:
            counts: dict[int, int] = {}
            for pod, where in placed.values():
                if population.selectors[0].picks(pod.key.namespace, pod.labels, teams[pod.key.namespace]):
                    counts[where] = counts.get(where, 0) + 1
            assert population.per_slot == counts


def test_pods_that_are_being_deleted_count_only_where_they_should(build: Any) -> None:
    topology = Topology()
    obj = build.pod("p", labels={"app": "a"})
    obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    topology.add(TEMPLATES.pod(obj), 0)
    assert topology.population(SELECTORS[:1], deleting_count=True).per_slot == {0: 1}
    assert topology.population(SELECTORS[:1], deleting_count=False).per_slot == {}


def test_where_nobody_holds_anything_all_pods_are_strangers(build: Any) -> None:
    topology = Topology()
    topology.add(TEMPLATES.pod(build.pod("p", labels={"app": "a"})), 0)
    assert topology.relation(TEMPLATES.pod(build.pod("q", labels={"app": "a"}))) is STRANGER


def test_what_a_running_pod_holds_concerns_those_it_picks_until_it_goes(build: Any) -> None:
    topology = Topology()
    shy = TEMPLATES.pod(build.pod("shy", labels={"app": "b"}, affinity=ANTI))
    picked, other = (TEMPLATES.pod(build.pod("q", labels={"app": app, "x": "y"})) for app in "ac")
    topology.add(shy, 1)
    (holder,) = topology.relation(picked).holders
    assert holder.hard
    assert holder.per_slot == {1: 1}
    assert not topology.relation(other).holders
    topology.remove(shy, 1)
    assert not topology.relation(picked).holders


def test_labels_that_no_term_mentions_do_not_part_pods(build: Any) -> None:
    topology = Topology()
    one, other = (
        topology.relation(TEMPLATES.pod(build.pod("p", labels={"app": "a", "index": index}, affinity=ANTI)))
        for index in "01"
    )
    assert one == other
