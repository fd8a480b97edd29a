"""Namespace: what is in it goes before it does."""

from __future__ import annotations

from kubus.model.kinds.apiservices import KIND as APISERVICES
from kubus.model.kinds.configmaps import KIND as CONFIGMAPS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object
from kubus.testing.world import World
from kubus_controllers.reconcilers.namespaces import controller

CONTROLLER = controller((NAMESPACES, PODS, CONFIGMAPS))


def namespace(*, deleting: bool) -> Object:
    meta: Object = {"name": "old"}
    if deleting:
        meta["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    return {"metadata": meta, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def content(name: str, **meta: object) -> Object:
    return {"metadata": {"name": name, "namespace": "old", **meta}}


def test_a_namespace_in_use_is_left_alone() -> None:
    world = World((NAMESPACES, namespace(deleting=False)), (CONFIGMAPS, content("a")))
    assert world.settle(CONTROLLER) == 0


def test_everything_in_it_is_deleted_and_then_the_finalizer_goes() -> None:
    world = World((NAMESPACES, namespace(deleting=True)), (CONFIGMAPS, content("a")), (PODS, content("p")))
    world.settle(CONTROLLER)
    (left,) = world.list(NAMESPACES)
    assert world.list(CONFIGMAPS) == world.list(PODS) == []
    assert left["spec"]["finalizers"] == []
    assert left["status"]["phase"] == "Terminating"


def test_what_waits_for_a_finalizer_is_named() -> None:
    world = World((NAMESPACES, namespace(deleting=True)), (CONFIGMAPS, content("a", finalizers=["example.com/x"])))
    world.settle(CONTROLLER)
    (left,) = world.list(NAMESPACES)
    assert left["spec"]["finalizers"] == ["kubernetes"]
    messages = {each["type"]: each["message"] for each in left["status"]["conditions"]}
    assert messages["NamespaceContentRemaining"] == (
        "Some resources are remaining: configmaps. has 1 resource instances"
    )
    assert "example.com/x in 1 resource instances" in messages["NamespaceFinalizersRemaining"]


def test_pods_go_first_and_are_waited_for() -> None:
    staying = content("p", finalizers=["example.com/x"])
    world = World((NAMESPACES, namespace(deleting=True)), (CONFIGMAPS, content("a")), (PODS, staying))
    world.settle(CONTROLLER)
    assert len(world.list(CONFIGMAPS)) == 1
    (left,) = world.list(NAMESPACES)
    messages = {each["type"]: (each["status"], each["message"]) for each in left["status"]["conditions"]}
    assert messages["NamespaceContentRemaining"] == (
        "True",
        "Some resources are remaining: pods. has 1 resource instances",
    )
    assert messages["NamespaceDeletionContentFailure"][0] == "False"


def metrics(status: str) -> Object:
    """The APIService of an extension apiserver."""
    service = {"namespace": "kube-system", "name": "metrics"}
    return {
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "service": service},
        "status": {"conditions": [{"type": "Available", "status": status}]},
    }


def test_a_group_that_cannot_be_asked_keeps_the_namespace_and_is_named() -> None:
    local = {"metadata": {"name": "v1.apps"}, "spec": {"group": "apps", "version": "v1"}}
    world = World(
        (NAMESPACES, namespace(deleting=True)),
        (CONFIGMAPS, content("a")),
        (APISERVICES, metrics("False")),
        (APISERVICES, local),
    )
    world.settle(CONTROLLER)
    (left,) = world.list(NAMESPACES)
    assert world.list(CONFIGMAPS) == []
    assert left["spec"]["finalizers"] == ["kubernetes"]
    said = next(each for each in left["status"]["conditions"] if each["type"] == "NamespaceDeletionDiscoveryFailure")
    assert (said["status"], said["reason"]) == ("True", "DiscoveryFailed")
    assert said["message"] == (
        "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: "
        "metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1"
    )


def test_a_group_that_can_be_asked_keeps_nothing() -> None:
    world = World((NAMESPACES, namespace(deleting=True)), (APISERVICES, metrics("True")))
    world.settle(CONTROLLER)
    assert world.list(NAMESPACES)[0]["spec"]["finalizers"] == []
