"""What terms about other pods say of a domain. `test_core` holds their sum against a plain implementation."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_scheduler.constraints import Apart, Constraints, Near, Pull, Spread
from kubus_scheduler.domains import Layouts
from kubus_scheduler.filters import NO_SPREAD_LABEL, NOT_APART, NOT_NEAR, REPELLED, SKEWED
from kubus_scheduler.nodes import capacity_of, facts_of
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.templates import Templates

TEMPLATES = Templates()
APP = {"matchLabels": {"app": "a"}}
TERM = {"topologyKey": "zone", "labelSelector": APP}


def affinity(side: str) -> dict[str, Any]:
    return {"affinity": {side: {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]}}}


def spread(**more: Any) -> dict[str, Any]:
    return {"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1, "labelSelector": APP, **more}]}


@pytest.fixture
def snapshot(build: Any) -> Snapshot:
    """Zones z1 and z2 of two nodes each, and a node of no zone."""
    made = Snapshot()
    for number, zone in enumerate(("z1", "z1", "z2", "z2", "")):
        node = build.node(f"n{number}", labels={"zone": zone} if zone else {})
        made.set_node(facts_of(node), capacity_of(node))
    return made


def constraints(snapshot: Snapshot, pod: dict[str, Any]) -> Constraints:
    made = TEMPLATES.pod(pod)
    return Constraints(made.template, snapshot.topology.relation(made), snapshot, Layouts(snapshot))


def put(snapshot: Snapshot, build: Any, name: str, node: str, **more: Any) -> None:
    snapshot.place(TEMPLATES.pod(build.pod(name, **more)), node)


def test_a_spread_constraint_objects_to_the_fuller_domain(build: Any, snapshot: Snapshot) -> None:
    put(snapshot, build, "q", "n0", labels={"app": "a"})
    (found,) = constraints(snapshot, build.pod("p", labels={"app": "a"}, **spread())).all
    assert isinstance(found, Spread)
    assert [found.check(zone) for zone in ("z1", "z2", None)] == [SKEWED, None, NO_SPREAD_LABEL]


def test_too_few_domains_count_as_an_empty_one(build: Any, snapshot: Snapshot) -> None:
    for number in range(4):
        put(snapshot, build, f"q{number}", f"n{number}", labels={"app": "a"})
    pod = build.pod("p", labels={"app": "a"}, **spread(maxSkew=2))
    assert constraints(snapshot, pod).all[0].check("z1") is None
    pod = build.pod("p", labels={"app": "a"}, **spread(maxSkew=2, minDomains=3))
    assert constraints(snapshot, pod).all[0].check("z1") is SKEWED


def test_a_preferred_spread_constraint_only_scores(build: Any, snapshot: Snapshot) -> None:
    put(snapshot, build, "q", "n0", labels={"app": "a"})
    (found,) = constraints(snapshot, build.pod("p", **spread(whenUnsatisfiable="ScheduleAnyway"))).all
    assert found.check(None) is None
    assert found.score("z2") > found.score("z1") > found.score(None) == 0


def test_affinity_wants_such_a_pod_near_unless_it_is_the_first_itself(build: Any, snapshot: Snapshot) -> None:
    (stranger,) = constraints(snapshot, build.pod("p", labels={"app": "b"}, **affinity("podAffinity"))).all
    (first,) = constraints(snapshot, build.pod("p", labels={"app": "a"}, **affinity("podAffinity"))).all
    assert isinstance(first, Near)
    assert stranger.check("z1") is NOT_NEAR
    assert first.check("z1") is None
    assert first.check(None) is NOT_NEAR
    put(snapshot, build, "q", "n0", labels={"app": "a"})
    for found in (stranger, first):
        found.domains.update(0)
        assert [found.check(zone) for zone in ("z1", "z2")] == [None, NOT_NEAR]


def test_anti_affinity_binds_both_sides(build: Any, snapshot: Snapshot) -> None:
    put(snapshot, build, "q", "n0", labels={"app": "a"}, **affinity("podAntiAffinity"))
    own, held = constraints(snapshot, build.pod("p", labels={"app": "a"}, **affinity("podAntiAffinity"))).all
    assert isinstance(own, Apart)
    assert [own.check(zone) for zone in ("z1", "z2", None)] == [NOT_APART, None, None]
    assert [held.check(zone) for zone in ("z1", "z2", None)] == [REPELLED, None, None]
    assert not constraints(snapshot, build.pod("p", labels={"app": "b"})).all


def test_a_preferred_term_pulls_or_pushes(build: Any, snapshot: Snapshot) -> None:
    put(snapshot, build, "q", "n0", labels={"app": "a"})
    weighted = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 10, "podAffinityTerm": TERM}]}
    (pull,) = constraints(snapshot, build.pod("p", affinity={"podAffinity": weighted})).all
    (push,) = constraints(snapshot, build.pod("p", affinity={"podAntiAffinity": weighted})).all
    assert isinstance(pull, Pull)
    assert pull.score("z1") > pull.score("z2") == pull.score(None) == 0 > push.score("z1")


def test_running_pods_pull_what_they_want_near(build: Any, snapshot: Snapshot) -> None:
    put(snapshot, build, "q", "n0", labels={"app": "a"}, **affinity("podAffinity"))
    (pull,) = constraints(snapshot, build.pod("p", labels={"app": "a"})).all
    assert pull.score("z1") > pull.score("z2") == 0


def test_closed_constraints_count_nothing_any_more(build: Any, snapshot: Snapshot) -> None:
    made = constraints(snapshot, build.pod("p", **affinity("podAntiAffinity")))
    assert snapshot.topology._populations
    made.close()
    assert not snapshot.topology._populations
