"""Node lifecycle: silence, conditions, taints."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key, Object, path_of
from kubus.testing.world import World
from kubus_controllers.reconcilers.nodes import controller, wanted_taints
from kubus_controllers.reconcilers.pods_of import condition_of, is_ready

CONTROLLER = controller(grace_seconds=40)
LEASE = Key(LEASES.collection, "kube-node-lease", "n1")


def node(ready: str = "True", **spec: object) -> Object:
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-01T11:00:00Z"}]
    return {"metadata": {"name": "n1"}, "spec": spec, "status": {"conditions": conditions}}


def world(silence: float, *pods: Object, **spec: object) -> World:
    lease = {"metadata": {"name": "n1", "namespace": "kube-node-lease"}, "spec": {}}
    made = World((NODES, node(**spec)), (LEASES, lease), *((PODS, pod) for pod in pods))  # type: ignore[arg-type]
    made.silence[LEASE] = timedelta(seconds=silence)
    return made


def taints(w: World) -> set[tuple[str, str]]:
    (only,) = w.list(NODES)
    return {
        (t["key"].removeprefix("node.kubernetes.io/"), t["effect"]) for t in path_of(only, "spec", "taints", default=())
    }


def test_a_node_that_renews_its_lease_is_left_alone_and_looked_at_when_it_may_be_late() -> None:
    w = world(10)
    plan = w.plan(CONTROLLER, w.list(NODES)[0])
    assert plan.actions == ()
    assert plan.again_after is not None
    assert 30 <= plan.again_after.total_seconds() < 31


def test_a_silent_node_turns_unknown_and_is_tainted_and_its_pods_are_not_ready() -> None:
    pod = {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    w = world(41, pod)
    w.settle(CONTROLLER)
    condition = condition_of(w.list(NODES)[0], "Ready") or {}
    assert (condition["status"], condition["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert taints(w) == {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}
    assert not is_ready(w.list(PODS)[0])


def test_a_node_that_is_back_loses_the_taints_that_are_ours_only() -> None:
    mine = {"key": "example.com/gpu", "effect": "NoSchedule"}
    lost = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-01-01T11:00:00Z"}
    w = world(1, taints=[mine, lost])
    w.settle(CONTROLLER)
    assert path_of(w.list(NODES)[0], "spec", "taints") == [mine]


@pytest.mark.parametrize(
    ("ready", "spec", "expected"),
    [
        ("True", {}, set()),
        ("False", {}, {("not-ready", "NoSchedule"), ("not-ready", "NoExecute")}),
        ("Unknown", {}, {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}),
        ("True", {"unschedulable": True}, {("unschedulable", "NoSchedule")}),
    ],
)
def test_taints_follow_conditions_and_spec(ready: str, spec: Object, expected: set[tuple[str, str]]) -> None:
    found = {(key.removeprefix("node.kubernetes.io/"), effect) for key, effect in wanted_taints(node(ready, **spec))}
    assert found == expected
