"""Garbage collection over any kinds."""

from __future__ import annotations

import pytest

from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICASETS
from kubus.model.objects import Object, is_deleting, name_of
from kubus.testing.world import World
from kubus_controllers.reconcilers.garbage import controller

CONTROLLER = controller((REPLICASETS, PODS, CONFIGMAPS))


def obj(name: str, *owners: str, **meta: object) -> Object:
    references = [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": owner,
            "uid": f"uid-{owner}",
            "blockOwnerDeletion": True,
        }
        for owner in owners
    ]
    full: Object = {"name": name, "namespace": "default", "uid": f"uid-{name}", **meta}
    if references:
        full["ownerReferences"] = references
    return {"metadata": full}


def collect(world: World) -> None:
    for _ in range(10):
        before = world.revision
        for kind in (REPLICASETS, PODS, CONFIGMAPS):
            world.reconcile(CONTROLLER, kind)
        if world.revision == before:
            return


def names(world: World) -> list[str]:
    return sorted(name_of(each) for kind in (REPLICASETS, PODS, CONFIGMAPS) for each in world.list(kind))


@pytest.mark.parametrize(
    ("objects", "left"),
    [
        ([(PODS, obj("p", "gone"))], []),
        ([(REPLICASETS, obj("rs")), (PODS, obj("p", "rs"))], ["p", "rs"]),
        ([(REPLICASETS, obj("rs")), (PODS, obj("p", "rs", "gone"))], ["p", "rs"]),
        ([(REPLICASETS, obj("rs", uid="another")), (PODS, obj("p", "rs"))], ["rs"]),
        ([(PODS, obj("p"))], ["p"]),
    ],
    ids=["owner gone", "owner there", "one of two there", "another of its name", "no owner"],
)
def test_what_has_lost_all_its_owners_is_collected(objects: list[tuple[object, Object]], left: list[str]) -> None:
    world = World(*objects)  # type: ignore[arg-type]
    collect(world)
    assert names(world) == left


def test_an_owner_of_an_unknown_kind_keeps_its_dependents() -> None:
    stranger = obj("p")
    stranger["metadata"]["ownerReferences"] = [{"apiVersion": "x.io/v1", "kind": "Thing", "name": "t", "uid": "u"}]
    world = World((PODS, stranger))
    collect(world)
    assert names(world) == ["p"]


def test_in_the_foreground_the_owner_waits_for_its_dependents() -> None:
    owner = obj("rs", deletionTimestamp="2026-01-01T12:00:00Z", finalizers=["foregroundDeletion"])
    world = World((REPLICASETS, owner), (PODS, obj("p", "rs", finalizers=["example.com/hold"])))
    collect(world)
    assert names(world) == ["p", "rs"]
    (pod,) = world.list(PODS)
    assert is_deleting(pod)
    world.remove(PODS, "default", "p")
    collect(world)
    assert names(world) == []


def test_orphans_lose_the_reference_and_stay() -> None:
    owner = obj("rs", deletionTimestamp="2026-01-01T12:00:00Z", finalizers=["orphan"])
    world = World((REPLICASETS, owner), (PODS, obj("p", "rs")))
    collect(world)
    assert names(world) == ["p"]
    assert "ownerReferences" not in world.list(PODS)[0]["metadata"]


def test_the_end_of_an_owner_wakes_its_dependents_and_nothing_else() -> None:
    world = World((PODS, obj("p", "rs")), (PODS, obj("other")))
    (watch,) = [each for each in CONTROLLER.watches if each.kind is REPLICASETS]
    assert [key.name for key in watch.wakes(obj("rs"), world)] == ["p"]


def test_an_object_whose_owners_are_there_wakes_nothing() -> None:
    world = World((REPLICASETS, obj("rs")), (PODS, obj("p", "rs")))
    (watch,) = [each for each in CONTROLLER.watches if each.kind is PODS]
    assert watch.wakes(world.list(PODS)[0], world) == []


def test_a_dependent_that_another_owner_needs_only_loses_the_reference() -> None:
    leaving = obj("rs", deletionTimestamp="2026-01-01T12:00:00Z", finalizers=["foregroundDeletion"])
    world = World((REPLICASETS, leaving), (REPLICASETS, obj("other")), (PODS, obj("p", "rs", "other")))
    collect(world)
    assert names(world) == ["other", "p"]
    assert [each["name"] for each in world.list(PODS)[0]["metadata"]["ownerReferences"]] == ["other"]


def test_a_dependent_that_has_lost_the_reference_wakes_the_owner_that_waits() -> None:
    leaving = obj("rs", deletionTimestamp="2026-01-01T12:00:00Z", finalizers=["foregroundDeletion"])
    world = World((REPLICASETS, leaving), (REPLICASETS, obj("other")), (PODS, obj("p", "other")))
    (watch,) = [each for each in CONTROLLER.watches if each.kind is PODS]
    assert [key.name for key in watch.wakes(obj("p", "rs", "other"), world)] == ["rs"]


def test_a_circle_of_owners_that_wait_for_one_another_is_broken() -> None:
    def member(name: str, owner: str) -> Object:
        return obj(name, owner, deletionTimestamp="2026-01-01T12:00:00Z", finalizers=["foregroundDeletion"])

    world = World((REPLICASETS, member("a", "c")), (REPLICASETS, member("b", "a")), (REPLICASETS, member("c", "b")))
    collect(world)
    assert names(world) == []


def test_an_owner_in_another_namespace_is_warned_of_in_kubernetes_words() -> None:
    world = World((REPLICASETS, obj("rs", namespace="other")), (PODS, obj("p", "rs")))
    world.reconcile(CONTROLLER, PODS)
    identity = "[apps/v1/ReplicaSet, namespace: default, name: rs, uid: uid-rs]"
    [event] = [each for each in world.records if each.reason == "OwnerRefInvalidNamespace"]
    assert event.message == f'ownerRef {identity} does not exist in namespace "default"'
    assert names(world) == ["rs"]
