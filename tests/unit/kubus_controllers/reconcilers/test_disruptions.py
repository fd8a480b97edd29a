"""How many pods a disruption budget lets go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds import Kind, Scale
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.kinds.daemonsets import KIND as DAEMON_SETS
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.poddisruptionbudgets import KIND as BUDGETS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICA_SETS
from kubus.model.kinds.statefulsets import KIND as STATEFUL_SETS
from kubus.model.objects import Object
from kubus.model.times import rfc3339
from kubus.testing.world import START, World
from kubus_controllers.reconcilers.disruptions import controller

CONTROLLER = controller([kind for kind in builtin_kinds() if not kind.stored_as])
WIDGETS = replace(STATEFUL_SETS, group="example.com", name="Widget", plural="widgets", scale=Scale(("spec", "size")))


def owner(world: World, kind: Kind, name: str, spec: Object, above: Object | None = None) -> Object:
    meta: Object = {"name": name, "namespace": "d"}
    if above is not None:
        meta["ownerReferences"] = [reference(above)]
    return world.put(kind, {"metadata": meta, "spec": spec})


def reference(obj: Object) -> Object:
    meta = obj["metadata"]
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
    }


def pods(world: World, count: int, above: Object | None, *, ready: int | None = None, prefix: str = "p") -> None:
    for number in range(count):
        meta: Object = {"name": f"{prefix}{number}", "namespace": "d", "labels": {"app": "web"}}
        if above is not None:
            meta["ownerReferences"] = [reference(above)]
        is_ready = "True" if ready is None or number < ready else "False"
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": is_ready}]}
        world.put(PODS, {"metadata": meta, "spec": {}, "status": status})


def budget(world: World, **spec: Any) -> None:
    selector = {"matchLabels": {"app": "web"}}
    meta = {"name": "b", "namespace": "d", "generation": 1}
    world.put(BUDGETS, {"metadata": meta, "spec": {"selector": selector, **spec}})


def status_of(world: World) -> Object:
    world.settle(CONTROLLER)
    found = world.get(BUDGETS, "d", "b")
    assert found is not None
    return dict(found["status"])


def deployed(replicas: int, *, ready: int | None = None, **spec: Any) -> World:
    world = World()
    deployment = owner(world, DEPLOYMENTS, "web", {"replicas": replicas})
    replica_set = owner(world, REPLICA_SETS, "web-1", {"replicas": replicas + 1}, deployment)
    pods(world, replicas, replica_set, ready=ready)
    budget(world, **spec)
    return world


@pytest.mark.parametrize(
    ("replicas", "ready", "spec", "desired", "healthy", "allowed"),
    [
        (3, 3, {"minAvailable": 2}, 2, 3, 1),
        (3, 2, {"minAvailable": 2}, 2, 2, 0),
        (3, 1, {"minAvailable": 2}, 2, 1, 0),
        (3, 3, {"minAvailable": "50%"}, 2, 3, 1),
        (3, 3, {"minAvailable": "100%"}, 3, 3, 0),
        (3, 3, {"maxUnavailable": 1}, 2, 3, 1),
        (3, 3, {"maxUnavailable": "10%"}, 2, 3, 1),
        (3, 3, {"maxUnavailable": 0}, 3, 3, 0),
        (3, 3, {"maxUnavailable": 9}, 0, 3, 3),
        (3, 3, {}, 0, 3, 3),
    ],
)
def test_a_budget_counts_what_must_stay_against_what_is_healthy(
    replicas: int, ready: int, spec: Object, desired: int, healthy: int, allowed: int
) -> None:
    status = status_of(deployed(replicas, ready=ready, **spec))
    (condition,) = status.pop("conditions")
    assert status == {
        "expectedPods": 3,
        "desiredHealthy": desired,
        "currentHealthy": healthy,
        "disruptionsAllowed": allowed,
        "observedGeneration": 1,
    }
    assert condition == {
        "type": "DisruptionAllowed",
        "status": "True" if allowed else "False",
        "reason": "SufficientPods" if allowed else "InsufficientPods",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": rfc3339(START),
    }


def test_no_pods_allow_no_disruption() -> None:
    world = World()
    budget(world, minAvailable=0)
    status = status_of(world)
    assert (status["expectedPods"], status["disruptionsAllowed"]) == (0, 0)
    assert [record.reason for record in world.records] == ["NoPods"]


def test_several_controllers_are_summed_up_and_each_counts_once() -> None:
    world = World()
    deployment = owner(world, DEPLOYMENTS, "web", {"replicas": 4})
    for number in (1, 2):
        pods(world, 2, owner(world, REPLICA_SETS, f"web-{number}", {"replicas": 2}, deployment), prefix=f"r{number}")
    pods(world, 3, owner(world, STATEFUL_SETS, "db", {"replicas": 5}), prefix="s")
    budget(world, maxUnavailable="50%")
    status = status_of(world)
    assert (status["expectedPods"], status["desiredHealthy"], status["currentHealthy"]) == (9, 4, 7)


def test_a_replica_set_of_its_own_and_a_custom_resource_say_how_many() -> None:
    world = World()
    world.custom = (WIDGETS,)
    pods(world, 1, owner(world, WIDGETS, "w", {"size": 3}), prefix="w")
    pods(world, 1, owner(world, REPLICA_SETS, "r", {"replicas": 2}), prefix="r")
    budget(world, minAvailable="100%")
    assert status_of(world)["expectedPods"] == 5


@pytest.mark.parametrize(
    ("kind", "there", "message"),
    [
        (DAEMON_SETS, True, "daemonsets.apps does not implement the scale subresource"),
        (REPLICA_SETS, False, 'found no controllers for pod "p0"'),
        (WIDGETS, True, 'no matches for kind "Widget" in group "example.com"'),
    ],
)
def test_what_nobody_can_count_may_not_be_disrupted(kind: Kind, there: bool, message: str) -> None:
    world = World()
    above = owner(world, kind, "x", {"replicas": 1})
    pods(world, 1, above)
    if not there:
        world.remove(kind, "d", "x")
    budget(world, maxUnavailable=1)
    status = status_of(world)
    assert status["disruptionsAllowed"] == 0
    assert status["conditions"][0]["reason"] == "SyncFailed"
    assert status["conditions"][0]["message"] == message
    assert [record.reason for record in world.records] == ["CalculateExpectedPodCountFailed"]


def test_a_pod_that_outlives_its_controller_stops_nothing() -> None:
    world = deployed(3, maxUnavailable=1)
    old = owner(world, REPLICA_SETS, "old", {"replicas": 1})
    pods(world, 1, old, prefix="old")
    leaving = world.get(PODS, "d", "old0")
    assert leaving is not None
    world.put(PODS, {**leaving, "metadata": {**leaving["metadata"], "deletionTimestamp": rfc3339(START)}})
    world.remove(REPLICA_SETS, "d", "old")
    assert status_of(world)["disruptionsAllowed"] == 1


def test_pods_without_a_controller_count_for_a_number_and_not_for_a_share() -> None:
    for spec, expected in (({"minAvailable": 1}, 2), ({"minAvailable": "50%"}, 0)):
        world = World()
        pods(world, 2, None)
        budget(world, **spec)
        assert status_of(world)["expectedPods"] == expected
        assert [record.reason for record in world.records] == ([] if expected else ["UnmanagedPods"])


def test_an_evicted_pod_is_not_healthy_until_it_is_gone_or_two_minutes_are_over() -> None:
    world = deployed(3, minAvailable=1)
    status = status_of(world)
    noted = {"p0": rfc3339(START), "elsewhere": rfc3339(START)}
    found = world.get(BUDGETS, "d", "b")
    assert found is not None
    world.put(BUDGETS, {**found, "status": {**status, "disruptionsAllowed": 1, "disruptedPods": noted}})
    status = status_of(world)
    assert (status["currentHealthy"], status["disruptedPods"]) == (2, {"p0": rfc3339(START)})
    assert world.plan(CONTROLLER, world.list(BUDGETS)[0]).again_after == timedelta(minutes=2)
    world.now += timedelta(minutes=2)
    status = status_of(world)
    assert status["currentHealthy"] == 3
    assert "disruptedPods" not in status
    assert [record.reason for record in world.records] == ["NotDeleted"]


def test_a_pod_that_is_being_deleted_is_neither_healthy_nor_noted() -> None:
    world = deployed(2, minAvailable=1)
    status = status_of(world)
    found, pod = world.get(BUDGETS, "d", "b"), world.get(PODS, "d", "p0")
    assert found is not None and pod is not None
    world.put(BUDGETS, {**found, "status": {**status, "disruptedPods": {"p0": rfc3339(START)}}})
    world.put(PODS, {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": rfc3339(START)}})
    status = status_of(world)
    assert (status["currentHealthy"], status["disruptionsAllowed"]) == (1, 0)
    assert "disruptedPods" not in status


def test_a_disruption_that_never_came_is_taken_back() -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    conditions = [{**condition, "lastTransitionTime": rfc3339(START)}]
    world = World()
    pod = world.put(PODS, {"metadata": {"name": "p", "namespace": "d"}, "status": {"conditions": conditions}})
    (watch,) = [each for each in CONTROLLER.watches if each.kind is PODS]
    assert [key.collection for key in watch.wakes(pod, world)] == ["pods.core"]
    assert world.plan(CONTROLLER, pod).again_after == timedelta(minutes=2)
    world.now += timedelta(minutes=2)
    world.reconcile(CONTROLLER, PODS)
    after = world.list(PODS)[0]
    assert [each["status"] for each in after["status"]["conditions"]] == ["False"]
    assert watch.wakes(after, world) == []


@settings(max_examples=50)
@given(
    replicas=st.integers(0, 6),
    there=st.integers(0, 6),
    ready=st.integers(0, 6),
    spec=st.one_of(
        st.builds(lambda n: {"minAvailable": n}, st.integers(0, 7)),
        st.builds(lambda n: {"maxUnavailable": n}, st.integers(0, 7)),
        st.builds(lambda n: {"minAvailable": f"{n}%"}, st.integers(0, 100)),
        st.builds(lambda n: {"maxUnavailable": f"{n}%"}, st.integers(0, 100)),
    ),
)
def test_what_is_allowed_never_takes_the_healthy_below_what_must_stay(
    replicas: int, there: int, ready: int, spec: Object
) -> None:
    world = World()
    pods(world, there, owner(world, REPLICA_SETS, "r", {"replicas": replicas}), ready=ready)
    budget(world, **spec)
    status = status_of(world)
    assert status["currentHealthy"] == min(there, ready)
    assert status["disruptionsAllowed"] >= 0
    if status["disruptionsAllowed"]:
        assert status["currentHealthy"] - status["disruptionsAllowed"] >= status["desiredHealthy"]
    assert world.reconcile(CONTROLLER) == 0
