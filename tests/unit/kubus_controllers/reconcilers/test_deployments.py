"""Deployment with ReplicaSets and kubelets that start a few pods a round."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICASETS
from kubus.model.objects import Object, annotations_of, name_of, path_of
from kubus.testing.world import World
from kubus_controllers.reconcilers import replicasets
from kubus_controllers.reconcilers.deployments import CONTROLLER, REVISION
from kubus_controllers.reconcilers.pods_of import condition_of, is_ready
from kubus_controllers.reconcilers.rollouts import surge_and_unavailable

READY = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T11:00:00Z"}]


def deployment(replicas: int = 3, image: str = "v1", **spec: object) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "uid": "d", "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
            "strategy": rolling,
            **spec,
        },
    }


def start_pods(world: World) -> None:
    """Kubelets: every pod that is there runs and is ready."""
    for pod in world.list(PODS):
        if not is_ready(pod):
            world.put(PODS, {**pod, "status": {"phase": "Running", "conditions": READY}})


def settle(world: World) -> None:
    world.settle(CONTROLLER, replicasets.CONTROLLER, between=start_pods)


def edit(world: World, **spec: object) -> None:
    (now,) = world.list(DEPLOYMENTS)
    meta = {**now["metadata"], "generation": now["metadata"]["generation"] + 1}
    world.put(DEPLOYMENTS, {**now, "metadata": meta, "spec": {**now["spec"], **spec}})


def template(image: str) -> Object:
    return deployment(image=image)["spec"]["template"]  # type: ignore[no-any-return]


def images(world: World) -> list[str]:
    return sorted(path_of(pod, "spec", "containers")[0]["image"] for pod in world.list(PODS))


def rolled_out(image: str = "v1", **spec: object) -> World:
    world = World((DEPLOYMENTS, deployment(image=image, **spec)))
    settle(world)
    return world


def status_of(world: World) -> Object:
    return world.list(DEPLOYMENTS)[0]["status"]  # type: ignore[no-any-return]


def test_a_new_deployment_comes_to_full_size_and_says_so() -> None:
    world = rolled_out()
    assert images(world) == ["v1"] * 3
    status = status_of(world)
    assert (status["replicas"], status["updatedReplicas"], status["availableReplicas"]) == (3, 3, 3)
    progressing = condition_of(world.list(DEPLOYMENTS)[0], "Progressing") or {}
    assert (progressing["status"], progressing["reason"]) == ("True", "NewReplicaSetAvailable")
    assert annotations_of(world.list(DEPLOYMENTS)[0])[REVISION] == "1"


def test_a_new_template_rolls_out_and_the_old_set_stays_for_a_rollback() -> None:
    world = rolled_out()
    edit(world, template=template("v2"))
    settle(world)
    assert images(world) == ["v2"] * 3
    assert sorted(path_of(each, "spec", "replicas") for each in world.list(REPLICASETS)) == [0, 3]
    assert annotations_of(world.list(DEPLOYMENTS)[0])[REVISION] == "2"


def test_a_rollback_uses_the_old_set_and_gives_it_a_new_revision() -> None:
    world = rolled_out()
    edit(world, template=template("v2"))
    settle(world)
    edit(world, template=template("v1"))
    settle(world)
    assert images(world) == ["v1"] * 3
    assert len(world.list(REPLICASETS)) == 2
    assert sorted(annotations_of(each)[REVISION] for each in world.list(REPLICASETS)) == ["2", "3"]


def test_a_paused_deployment_scales_but_does_not_roll_out() -> None:
    world = rolled_out()
    edit(world, template=template("v2"), paused=True, replicas=5)
    settle(world)
    assert images(world) == ["v1"] * 5
    assert (condition_of(world.list(DEPLOYMENTS)[0], "Progressing") or {})["reason"] == "DeploymentPaused"
    edit(world, paused=False)
    settle(world)
    assert images(world) == ["v2"] * 5


def test_recreate_never_runs_both_versions() -> None:
    world = rolled_out(strategy={"type": "Recreate"})
    edit(world, template=template("v2"))
    seen: list[set[str]] = []

    def watch(w: World) -> None:
        seen.append(set(images(w)))
        start_pods(w)

    world.settle(CONTROLLER, replicasets.CONTROLLER, between=watch)
    assert images(world) == ["v2"] * 3
    assert {"v1", "v2"} not in seen


def test_old_sets_beyond_the_history_limit_are_removed() -> None:
    world = rolled_out(revisionHistoryLimit=1)
    for image in ("v2", "v3", "v4"):
        edit(world, template=template(image))
        settle(world)
    assert len(world.list(REPLICASETS)) == 2


def test_a_rollout_that_does_not_move_exceeds_its_deadline() -> None:
    world = World((DEPLOYMENTS, deployment(progressDeadlineSeconds=60)))
    world.settle(CONTROLLER, replicasets.CONTROLLER)
    plan = world.plan(CONTROLLER, world.list(DEPLOYMENTS)[0])
    assert plan.again_after is not None
    world.now += plan.again_after
    world.settle(CONTROLLER, replicasets.CONTROLLER)
    progressing = condition_of(world.list(DEPLOYMENTS)[0], "Progressing") or {}
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")


def test_a_name_that_is_taken_by_another_template_is_counted_as_a_collision() -> None:
    world = World((DEPLOYMENTS, deployment()))
    plan = world.plan(CONTROLLER, world.list(DEPLOYMENTS)[0])
    name = name_of(plan.actions[0].object)  # type: ignore[union-attr]
    world.put(REPLICASETS, {"metadata": {"name": name, "namespace": "default"}, "spec": {"replicas": 0}})
    world.settle(CONTROLLER, replicasets.CONTROLLER, between=start_pods)
    assert status_of(world)["collisionCount"] == 1
    assert images(world) == ["v1"] * 3


surges = st.one_of(st.integers(0, 5), st.integers(0, 100).map("{}%".format))


@settings(max_examples=40)
@given(st.integers(0, 8), surges, surges, st.integers(0, 8))
def test_a_rollout_keeps_within_surge_and_unavailability_and_ends(
    replicas: int, surge: int | str, unavailable: int | str, later: int
) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    world = World((DEPLOYMENTS, deployment(replicas, strategy=strategy)))
    settle(world)
    edit(world, template=template("v2"))
    most, fewest = surge_and_unavailable(world.list(DEPLOYMENTS)[0])

    def watch(w: World) -> None:
        start_pods(w)
        assert len(w.list(PODS)) <= replicas + most, "more pods than the surge allows"
        assert sum(map(is_ready, w.list(PODS))) >= replicas - fewest, "fewer ready pods than allowed"

    world.settle(CONTROLLER, replicasets.CONTROLLER, between=watch)
    assert images(world) == ["v2"] * replicas
    edit(world, replicas=later)
    settle(world)
    assert images(world) == ["v2"] * later


@pytest.mark.parametrize("replicas", [0, 1, 4])
def test_an_unchanged_world_gives_an_empty_plan(replicas: int) -> None:
    world = World((DEPLOYMENTS, deployment(replicas)))
    settle(world)
    assert world.plan(CONTROLLER, world.list(DEPLOYMENTS)[0]).actions == ()


def disown(world: World) -> None:
    for each in world.list(REPLICASETS):
        world.put(REPLICASETS, {**each, "metadata": {**each["metadata"], "ownerReferences": []}})


def test_replicasets_that_match_and_have_no_owner_are_adopted_and_their_revisions_counted_on() -> None:
    world = rolled_out()
    edit(world, template=template("v2"))
    settle(world)
    pods = {pod["metadata"]["uid"] for pod in world.list(PODS)}
    world.remove(DEPLOYMENTS, "default", "web")
    disown(world)
    again = world.put(DEPLOYMENTS, deployment(image="v2"))
    settle(world)
    assert {pod["metadata"]["uid"] for pod in world.list(PODS)} == pods
    owners = [each["metadata"]["ownerReferences"][0]["uid"] for each in world.list(REPLICASETS)]
    assert owners == [again["metadata"]["uid"]] * 2
    assert annotations_of(world.list(DEPLOYMENTS)[0])[REVISION] == "2"
    edit(world, template=template("v3"))
    settle(world)
    assert annotations_of(world.list(DEPLOYMENTS)[0])[REVISION] == "3"


def test_a_replicaset_whose_labels_match_no_longer_is_released() -> None:
    world = rolled_out()
    (first,) = world.list(REPLICASETS)
    world.put(REPLICASETS, {**first, "metadata": {**first["metadata"], "labels": {"app": "other"}}})
    world.reconcile(CONTROLLER)
    (released,) = world.list(REPLICASETS)
    assert released["metadata"]["ownerReferences"] == []
