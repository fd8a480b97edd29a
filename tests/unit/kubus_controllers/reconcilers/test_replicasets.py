"""ReplicaSet: examples first, then worlds that hypothesis draws."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICASETS
from kubus.model.kinds.replicationcontrollers import KIND as REPLICATION_CONTROLLERS
from kubus.model.objects import Object, controller_of, name_of, path_of
from kubus.testing.world import World
from kubus_controllers.reconcilers.replicasets import CONTROLLER, REPLICATION


def replica_set(replicas: int = 3, **spec: object) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": "default", "uid": "rs", "generation": 1},
        "spec": {"replicas": replicas, "selector": selector, "template": template, **spec},
    }


def pod(name: str, phase: str = "Running", *, ready: bool = True, owned: bool = True, **more: object) -> Object:
    meta: Object = {"name": name, "namespace": "default", "labels": {"app": "web"}, "uid": f"uid-of-{name}"}
    if owned:
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": True}
        meta["ownerReferences"] = [owner]
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-01T11:00:00Z"}]
    return {
        "metadata": {**meta, **more},
        "spec": {"nodeName": "n1"},
        "status": {"phase": phase, "conditions": conditions},
    }


def world(replicas: int, *pods: Object, **spec: object) -> World:
    return World((REPLICASETS, replica_set(replicas, **spec)), *((PODS, each) for each in pods))


def active(w: World) -> list[Object]:
    return [each for each in w.list(PODS) if path_of(each, "status", "phase") not in ("Succeeded", "Failed")]


def test_missing_pods_are_created_with_the_template_and_the_owner() -> None:
    w = world(2)
    w.reconcile(CONTROLLER)
    assert len(w.list(PODS)) == 2
    for each in w.list(PODS):
        assert (controller_of(each) or {})["uid"] == "rs"
        assert each["metadata"]["labels"] == {"app": "web"}
        assert name_of(each).startswith("web-")
    assert sorted(r.reason for r in w.records) == ["SuccessfulCreate", "SuccessfulCreate"]


def test_pods_that_serve_least_go_first() -> None:
    w = world(1, pod("web-ready"), pod("web-unready", ready=False), pod("web-pending", "Pending", ready=False))
    w.reconcile(CONTROLLER)
    assert [name_of(each) for each in w.list(PODS)] == ["web-ready"]


def test_a_cheap_pod_goes_before_a_dear_one() -> None:
    cost = "controller.kubernetes.io/pod-deletion-cost"
    w = world(1, pod("web-a", annotations={cost: "10"}), pod("web-b", annotations={cost: "-5"}))
    w.reconcile(CONTROLLER)
    assert [name_of(each) for each in w.list(PODS)] == ["web-a"]


def test_orphans_that_match_are_adopted_instead_of_creating_more() -> None:
    w = world(1, pod("stray", owned=False))
    w.settle(CONTROLLER)
    (only,) = w.list(PODS)
    assert (controller_of(only) or {})["uid"] == "rs"


def test_a_pod_that_matches_no_longer_is_released_and_replaced() -> None:
    w = world(1, pod("web-x", labels={"app": "debug"}))
    w.settle(CONTROLLER)
    released = w.get(PODS, "default", "web-x")
    assert released is not None
    assert controller_of(released) is None
    assert len(w.list(PODS)) == 2


def test_finished_pods_do_not_count_and_their_names_are_not_used_again() -> None:
    w = world(1)
    w.reconcile(CONTROLLER)
    (first,) = w.list(PODS)
    w.put(PODS, {**first, "status": {"phase": "Failed"}})
    w.settle(CONTROLLER)
    assert len(active(w)) == 1
    assert len(w.list(PODS)) == 2


def test_the_status_counts_ready_and_available_pods() -> None:
    w = world(2, pod("web-a"), pod("web-b", ready=False), minReadySeconds=10)
    w.reconcile(CONTROLLER)
    status = w.list(REPLICASETS)[0]["status"]
    assert status == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "observedGeneration": 1,
    }


def test_a_pod_becomes_available_after_min_ready_seconds_and_is_looked_at_then() -> None:
    w = world(1, pod("web-a"), minReadySeconds=7200)
    plan = w.plan(CONTROLLER, w.list(REPLICASETS)[0])
    assert plan.again_after is not None
    assert plan.again_after.total_seconds() == 3600


def test_a_set_that_is_being_deleted_creates_nothing() -> None:
    gone = replica_set(3)
    gone["metadata"].update(deletionTimestamp="2026-01-01T11:59:00Z", finalizers=["orphan"])
    w = World((REPLICASETS, gone))
    w.settle(CONTROLLER)
    assert w.list(PODS) == []


pods = st.lists(
    st.builds(
        pod,
        st.text("abc", min_size=1, max_size=3).map("web-{}".format),
        st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]),
        ready=st.booleans(),
        owned=st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=60)
@given(pods, st.integers(0, 6))
def test_any_world_comes_to_rest_with_as_many_active_pods_as_asked(drawn: list[Object], replicas: int) -> None:
    w = world(replicas, *drawn)
    w.settle(CONTROLLER)
    assert len(active(w)) == replicas, "the set did not reach its size"


@settings(max_examples=40)
@given(pods, st.integers(0, 6))
def test_an_unchanged_world_gives_an_empty_plan(drawn: list[Object], replicas: int) -> None:
    w = world(replicas, *drawn)
    w.settle(CONTROLLER)
    assert w.plan(CONTROLLER, w.list(REPLICASETS)[0]).actions == ()


@settings(max_examples=40)
@given(pods, st.integers(0, 6))
def test_no_plan_creates_more_than_is_missing(drawn: list[Object], replicas: int) -> None:
    w = world(replicas, *drawn)
    before = len(active(w))
    w.reconcile(CONTROLLER)
    assert len(active(w)) <= max(before, replicas), "more pods than asked for"


def test_refused_pods_are_a_condition_until_they_come() -> None:
    w = world(3, pod("a"))
    plan = w.plan(CONTROLLER, w.list(REPLICASETS)[0])
    assert plan.refused is not None
    failed = plan.refused("pods is forbidden: exceeded quota: q")
    assert failed is not None
    w.carry_out(failed)
    (condition,) = w.list(REPLICASETS)[0]["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("ReplicaFailure", "True", "FailedCreate")
    assert condition["message"] == "pods is forbidden: exceeded quota: q"
    assert w.list(REPLICASETS)[0]["status"]["replicas"] == 1, "what is there is counted all the same"
    again = w.plan(CONTROLLER, w.list(REPLICASETS)[0])
    assert again.refused is not None and again.refused("another word") is None
    w.settle(CONTROLLER)
    assert "conditions" not in w.list(REPLICASETS)[0]["status"]
    assert w.plan(CONTROLLER, w.list(REPLICASETS)[0]).refused is None


def test_a_replication_controller_keeps_adopts_and_releases_pods_by_a_plain_selector() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    spec = {"replicas": 2, "selector": {"app": "web"}, "template": template}
    w = World((REPLICATION_CONTROLLERS, {"metadata": {"name": "rc", "namespace": "default"}, "spec": spec}))
    w.put(PODS, {"metadata": {"name": "stray", "namespace": "default", "labels": {"app": "web"}}})
    w.settle(REPLICATION)
    assert len(w.list(PODS)) == 2
    assert w.list(REPLICATION_CONTROLLERS)[0]["status"]["replicas"] == 2
    stray = w.get(PODS, "default", "stray")
    assert stray is not None and (controller_of(stray) or {})["kind"] == "ReplicationController"
    w.put(PODS, {**stray, "metadata": {**stray["metadata"], "labels": {"app": "other"}}})
    w.settle(REPLICATION)
    released = w.get(PODS, "default", "stray")
    assert released is not None and controller_of(released) is None
    assert len(w.list(PODS)) == 3
