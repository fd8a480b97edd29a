"""How pods come to a controller and leave it."""

from __future__ import annotations

import pytest

from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICA_SETS
from kubus.model.objects import Key, Object, controller_of, metadata, name_of
from kubus.testing.world import Refused, World
from kubus_controllers.reconcilers.adoption import adopt, adopters, marked, orphans, release, selector_of, waking
from kubus_controllers.reconcilers.replicasets import CONTROLLER

SELECTOR = {"matchLabels": {"app": "web"}}


def world() -> tuple[World, Object]:
    made = World()
    spec = {"selector": SELECTOR, "replicas": 0}
    owner = made.put(REPLICA_SETS, {"metadata": {"name": "r", "namespace": "d"}, "spec": spec})
    for namespace, name, app in (("d", "a", "web"), ("d", "b", "other"), ("elsewhere", "c", "web")):
        made.put(PODS, {"metadata": {"name": name, "namespace": namespace, "labels": {"app": app}}})
    made.plan(CONTROLLER, owner)  # declares the index
    return made, owner


def found(made: World, owner: Object) -> list[str]:
    return [name_of(pod) for pod in orphans(owner, made, selector_of(owner))]


def test_orphans_are_the_pods_of_the_namespace_that_match_and_belong_to_nobody() -> None:
    made, owner = world()
    assert found(made, owner) == ["a"]
    (pod,) = orphans(owner, made, selector_of(owner))
    made.carry_out(adopt(REPLICA_SETS, owner, pod, finalizers=["f"]))
    assert found(made, owner) == []
    adopted = made.get(PODS, "d", "a")
    assert adopted is not None and (controller_of(adopted) or {})["uid"] == metadata(owner)["uid"]
    assert adopted["metadata"]["finalizers"] == ["f"]
    made.carry_out(release(owner, adopted))
    assert found(made, owner) == ["a"]


def test_a_pod_that_has_changed_since_is_left_alone() -> None:
    made, owner = world()
    (pod,) = orphans(owner, made, selector_of(owner))
    made.carry_out(marked(pod, labels={"app": "web", "new": "yes"}))
    with pytest.raises(Refused):
        made.carry_out(adopt(REPLICA_SETS, owner, pod))


def test_a_pod_without_a_controller_wakes_who_may_adopt_it() -> None:
    made, owner = world()
    a, b = (made.get(PODS, "d", name) for name in "ab")
    assert a is not None and b is not None
    key = Key("replicasets.apps", "d", "r")
    assert adopters(REPLICA_SETS, selector_of, a, made) == [key] == waking(REPLICA_SETS).wakes(a, made)
    assert adopters(REPLICA_SETS, selector_of, b, made) == []
    made.carry_out(adopt(REPLICA_SETS, owner, a))
    assert adopters(REPLICA_SETS, selector_of, made.list(PODS, "d")[0], made) == []


def test_nothing_is_adopted_by_an_owner_whose_deletion_the_cache_has_not_seen_yet() -> None:
    made, owner = world()
    (pod,) = orphans(owner, made, selector_of(owner))
    decided = adopt(REPLICA_SETS, owner, pod)
    made.put(REPLICA_SETS, {**owner, "metadata": {**metadata(owner), "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    made.carry_out(decided)
    assert found(made, owner) == ["a"]
    assert orphans(made.list(REPLICA_SETS)[0], made, selector_of(owner)) == []
