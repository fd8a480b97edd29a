"""Pods that cannot stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubus.machinery.plans import Delete, SetStatus
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object
from kubus.testing.world import World
from kubus_controllers.reconcilers.evictions import CONTROLLER

TAINT = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-01-01T12:00:00Z"}


def world(taints: list[Object], *tolerations: Object) -> World:
    node = {"metadata": {"name": "n1"}, "spec": {"taints": taints}}
    pod = {"metadata": {"name": "p", "namespace": "d"}, "spec": {"nodeName": "n1", "tolerations": list(tolerations)}}
    return World((NODES, node), (PODS, pod))


def test_an_untolerated_taint_evicts_at_once() -> None:
    w = world([TAINT])
    w.settle(CONTROLLER)
    assert w.list(PODS) == []
    assert [record.reason for record in w.records] == ["TaintManagerEviction"]


def test_a_pod_is_told_why_before_it_goes() -> None:
    w = world([TAINT])
    told, gone, _ = w.plan(CONTROLLER, w.list(PODS)[0]).actions
    assert isinstance(told, SetStatus) and isinstance(gone, Delete)
    (condition,) = told.object["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionTarget", "True")
    assert condition["reason"] == "DeletionByTaintManager"
    w.carry_out(told)
    assert isinstance(w.plan(CONTROLLER, w.list(PODS)[0]).actions[0], Delete)


def test_a_toleration_for_some_seconds_postpones_it() -> None:
    w = world([TAINT], {"key": TAINT["key"], "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    assert w.plan(CONTROLLER, w.list(PODS)[0]).again_after == timedelta(seconds=300)
    w.now += timedelta(seconds=300)
    w.settle(CONTROLLER)
    assert w.list(PODS) == []


def test_a_taint_without_a_date_gets_one_and_the_tolerated_seconds_count_from_it() -> None:
    undated = {"key": "repair", "value": "soon", "effect": "NoExecute"}
    other = {"key": "note", "effect": "NoSchedule"}
    w = world([undated, other], {"key": "repair", "operator": "Exists", "tolerationSeconds": 8})
    w.reconcile(CONTROLLER)
    (node,) = w.list(NODES)
    assert node["spec"]["taints"] == [{**undated, "timeAdded": "2026-01-01T12:00:00Z"}, other]
    w.now += timedelta(seconds=5)
    plan = w.plan(CONTROLLER, w.list(PODS)[0])
    assert (plan.actions, plan.again_after) == ((), timedelta(seconds=3))
    w.now += timedelta(seconds=3)
    w.settle(CONTROLLER)
    assert w.list(PODS) == []


def test_a_taint_that_is_taken_away_in_time_evicts_nothing() -> None:
    toleration = {"key": "repair", "operator": "Exists", "tolerationSeconds": 8}
    w = world([{"key": "repair", "effect": "NoExecute"}], toleration)
    w.reconcile(CONTROLLER)
    w.put(NODES, {"metadata": {"name": "n1"}, "spec": {"taints": [{"key": "other", "effect": "NoSchedule"}]}})
    w.now += timedelta(seconds=60)
    assert w.plan(CONTROLLER, w.list(PODS)[0]).actions == ()
    assert w.plan(CONTROLLER, w.list(PODS)[0]).again_after is None


def test_a_toleration_without_end_keeps_the_pod() -> None:
    w = world([TAINT], {"operator": "Exists"})
    plan = w.plan(CONTROLLER, w.list(PODS)[0])
    assert plan.actions == ()
    assert plan.again_after is None


def test_a_pod_whose_node_is_gone_is_collected_without_grace() -> None:
    w = world([])
    w.remove(NODES, "", "n1")
    (action,) = w.plan(CONTROLLER, w.list(PODS)[0]).actions
    assert action.grace_period_seconds == 0  # type: ignore[union-attr]
    w.settle(CONTROLLER)
    assert w.list(PODS) == []


@pytest.mark.parametrize(
    ("seconds", "left"), [((300, 60), 60), ((60, None), 60), ((None, None), None), ((-5, 300), None)]
)
def test_of_several_tolerations_the_shortest_counts(seconds: tuple[int | None, ...], left: int | None) -> None:
    w = world([TAINT], *({"operator": "Exists", "tolerationSeconds": each} for each in seconds))
    plan = w.plan(CONTROLLER, w.list(PODS)[0])
    assert plan.again_after == (timedelta(seconds=left) if left else None)
    assert bool(plan.actions) is (-5 in seconds)
