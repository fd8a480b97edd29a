"""Quotas are counted when they are new, when their limits change, and when something was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kubus.model.kinds import Kind
from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.persistentvolumeclaims import KIND as CLAIMS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.resourcequotas import KIND as QUOTAS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Key
from kubus.testing.world import World
from kubus_controllers.reconcilers.quotas import ANNOTATION, LOOK_AGAIN, PATIENCE, RECOUNT, controller

CONTROLLER = controller((PODS, CONFIGMAPS, SERVICES, CLAIMS, QUOTAS))


def pod(name: str, cpu: str = "100m", phase: str = "Running") -> dict[str, Any]:
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    metadata = {"name": name, "namespace": "a"}
    return {"metadata": metadata, "spec": {"containers": [container]}, "status": {"phase": phase}}


def quota(limits: dict[str, str], **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "q", "namespace": "a"}, "spec": {"hard": limits}, "status": status}


def used(world: World) -> dict[str, str]:
    return (world.get(QUOTAS, "a", "q") or {})["status"]["used"]


def test_a_new_quota_is_counted_at_once() -> None:
    hard = {"pods": "10", "requests.cpu": "2", "count/configmaps": "3", "services.nodeports": "1", "unknown": "1"}
    world = World((PODS, pod("p1")), (PODS, pod("p2")), (PODS, pod("done", phase="Succeeded")))
    world.put(CONFIGMAPS, {"metadata": {"name": "m", "namespace": "a"}})
    world.put(CONFIGMAPS, {"metadata": {"name": "m", "namespace": "elsewhere"}})
    ports = {"spec": {"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}}
    world.put(SERVICES, {"metadata": {"name": "s", "namespace": "a"}, **ports})
    world.put(QUOTAS, quota(hard))
    world.settle(CONTROLLER)
    assert (world.get(QUOTAS, "a", "q") or {})["status"]["hard"] == hard
    assert used(world) == {"pods": "2", "requests.cpu": "200m", "count/configmaps": "1", "services.nodeports": "2"}


def test_a_new_limit_is_counted_and_what_was_charged_for_the_others_stands() -> None:
    world = World((PODS, pod("p1")))
    world.put(QUOTAS, quota({"pods": "5", "cpu": "1"}, hard={"pods": "10"}, used={"pods": "3"}))
    world.put(QUOTAS, world.get(QUOTAS, "a", "q") or {})
    world.settle(CONTROLLER)
    assert used(world)["cpu"] == "100m"


def test_a_difference_is_corrected_only_after_it_has_stood_for_a_while() -> None:
    world = World((PODS, pod("p1")))
    world.put(QUOTAS, quota({"pods": "5"}, hard={"pods": "5"}, used={"pods": "3"}))
    key = Key(QUOTAS.collection, "a", "q")
    world.silence[key] = timedelta(0)
    world.settle(CONTROLLER)
    assert used(world) == {"pods": "3"}
    assert (world.get(QUOTAS, "a", "q") or {})["metadata"]["annotations"] == {ANNOTATION: "pods=1"}
    world.silence[key] = PATIENCE
    world.settle(CONTROLLER)
    assert used(world) == {"pods": "1"}
    assert not (world.get(QUOTAS, "a", "q") or {})["metadata"].get("annotations")


def test_scopes_choose_the_pods() -> None:
    world = World((PODS, pod("p1")), (PODS, {**pod("p2"), "spec": {"containers": [{"name": "c"}]}}))
    world.put(QUOTAS, {**quota({"pods": "5"}), "spec": {"hard": {"pods": "5"}, "scopes": ["BestEffort"]}})
    world.settle(CONTROLLER)
    assert used(world) == {"pods": "1"}


def test_what_nobody_knows_yet_is_looked_for_again_soon_and_counted_when_it_is_there() -> None:
    things = Kind("example.com", "v1", "Thing", "things", True, "x")
    world = World()
    world.put(QUOTAS, quota({"pods": "5", "count/things.example.com": "2"}))
    world.settle(CONTROLLER)
    assert used(world) == {"pods": "0"}
    assert world.plan(CONTROLLER, world.get(QUOTAS, "a", "q") or {}).again_after == LOOK_AGAIN
    world.custom = (things,)
    world.put(things, {"metadata": {"name": "t", "namespace": "a"}})
    world.settle(CONTROLLER)
    assert used(world) == {"pods": "0", "count/things.example.com": "1"}
    assert world.plan(CONTROLLER, world.get(QUOTAS, "a", "q") or {}).again_after == RECOUNT


def test_a_pod_of_a_lost_node_takes_nothing_once_it_is_overdue() -> None:
    gone = pod("gone")
    gone["metadata"] |= {"deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    world = World((PODS, pod("p1")), (PODS, gone), (QUOTAS, quota({"pods": "5", "count/pods": "5"})))
    world.settle(CONTROLLER)
    assert used(world) == {"pods": "1", "count/pods": "2"}
