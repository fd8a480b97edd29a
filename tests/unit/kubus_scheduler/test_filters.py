"""Why a pod cannot go to a node."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_scheduler.filters import (
    CORDONED,
    NOT_AFFINE,
    NOT_NAMED,
    PORTS_TAKEN,
    check_node,
    check_room,
    is_short,
    named_nodes,
)
from kubus_scheduler.nodes import capacity_of, facts_of
from kubus_scheduler.snapshot import Snapshot
from kubus_scheduler.templates import Templates

TEMPLATES = Templates()
SSD = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]}


def named(*names: str, **more: Any) -> dict[str, Any]:
    return {"matchFields": [{"key": "metadata.name", "operator": "In", "values": list(names)}], **more}


def require(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


@pytest.mark.parametrize(
    ("node", "spec", "failure"),
    [
        ({}, {}, None),
        ({"unschedulable": True}, {}, CORDONED),
        ({"unschedulable": True}, {"tolerations": [{"operator": "Exists"}]}, None),
        ({"labels": {"disk": "ssd"}}, {"nodeSelector": {"disk": "ssd"}}, None),
        ({"labels": {"disk": "hdd"}}, {"nodeSelector": {"disk": "ssd"}}, NOT_AFFINE),
        ({"labels": {"disk": "ssd"}}, {"affinity": require(*SSD["nodeSelectorTerms"])}, None),
        ({}, {"affinity": require(*SSD["nodeSelectorTerms"])}, NOT_AFFINE),
        ({}, {"affinity": require()}, NOT_AFFINE),
        ({}, {"affinity": require({}, *SSD["nodeSelectorTerms"])}, NOT_AFFINE),
        ({}, {"affinity": require(named("n"))}, None),
        ({}, {"affinity": require(named("other"))}, NOT_NAMED),
        ({}, {"affinity": require(named("other"), *SSD["nodeSelectorTerms"])}, NOT_AFFINE),
        ({"unschedulable": True}, {"nodeSelector": {"disk": "ssd"}}, CORDONED),
    ],
)
def test_the_first_filter_that_objects_gives_the_reason(build: Any, node: dict, spec: dict, failure: Any) -> None:
    rule = TEMPLATES.pod(build.pod("p", **spec)).template.rule
    assert check_node(rule, named_nodes(rule), facts_of(build.node("n", **node))) == failure


def test_an_untolerated_taint_is_named(build: Any) -> None:
    rule = TEMPLATES.pod(build.pod("p")).template.rule
    node = build.node("n", taints=[{"key": "soft", "effect": "PreferNoSchedule"}, {"key": "k", "effect": "NoExecute"}])
    failure = check_node(rule, None, facts_of(node))
    assert failure is not None
    assert failure.reasons == ("node(s) had untolerated taint {k: }",)


def room(build: Any, pod: Any, *placed: Any, **node: Any) -> Any:
    snapshot = Snapshot()
    made = build.node("n", **node)
    snapshot.set_node(facts_of(made), capacity_of(made))
    for each in placed:
        snapshot.place(TEMPLATES.pod(each), "n")
    template = TEMPLATES.pod(pod).template
    failure = check_room(template, snapshot, 0)
    ports = failure is PORTS_TAKEN
    assert is_short(template.needs, snapshot, 0) == (failure is not None and not ports), "the quick way says the same"
    return failure


def test_ports_conflict_before_resources_are_looked_at(build: Any) -> None:
    assert room(build, build.pod("p", ports=[80], cpu="9"), build.pod("q", ports=[81])) is not PORTS_TAKEN
    snapshot_full = room(build, build.pod("p", ports=[80]), build.pod("q", ports=[80]))
    assert snapshot_full is PORTS_TAKEN


def test_a_pod_that_asks_for_nothing_fits_where_others_took_too_much(build: Any) -> None:
    greedy = build.pod("q", cpu="99", memory="99Gi")
    assert room(build, build.pod("p", cpu="0", memory="0"), greedy) is None
    assert room(build, build.pod("p", cpu="0", memory="0"), greedy, pods="1").reasons == ("Too many pods",)
