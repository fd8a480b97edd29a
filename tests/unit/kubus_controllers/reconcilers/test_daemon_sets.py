"""DaemonSets, played in a small world."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds.controllerrevisions import KIND as REVISIONS
from kubus.model.kinds.daemonsets import KIND as DAEMON_SETS
from kubus.model.kinds.daemonsets import set_defaults
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object, name_of
from kubus.model.times import rfc3339
from kubus.testing.world import World
from kubus_controllers.reconcilers.daemon_nodes import node_of_pod
from kubus_controllers.reconcilers.daemon_sets import CONTROLLER
from kubus_controllers.reconcilers.pods_of import is_ready


def world(nodes: int = 3, **spec: Any) -> World:
    template = {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "c", "image": "v1"}]}}
    selector = {"matchLabels": {"app": "d"}}
    obj: Object = {"metadata": {"name": "d", "namespace": "ns"}, "spec": {"selector": selector, "template": template}}
    obj["spec"] |= spec
    set_defaults(obj)
    made = World((DAEMON_SETS, obj))
    for number in range(nodes):
        made.put(NODES, {"metadata": {"name": f"n{number}"}, "spec": {}})
    return made


def kubelet(made: World) -> None:
    for pod in made.list(PODS):
        if not pod.get("status"):
            since = rfc3339(made.now)
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
            made.put(PODS, {**pod, "status": {"phase": "Running", "conditions": [ready]}})


def change(made: World, **spec: Any) -> None:
    there = made.list(DAEMON_SETS)[0]
    made.put(DAEMON_SETS, {**there, "spec": {**there["spec"], **spec}})


def image(made: World, name: str) -> None:
    template = made.list(DAEMON_SETS)[0]["spec"]["template"]
    change(made, template={**template, "spec": {**template["spec"], "containers": [{"name": "c", "image": name}]}})


def images(made: World) -> dict[str, str]:
    return {node_of_pod(pod): pod["spec"]["containers"][0]["image"] for pod in made.list(PODS)}


def test_every_node_has_one_pod_and_the_status_counts_them() -> None:
    made = world(3)
    made.settle(CONTROLLER, between=kubelet)
    assert Counter(node_of_pod(pod) for pod in made.list(PODS)) == {"n0": 1, "n1": 1, "n2": 1}
    status = made.list(DAEMON_SETS)[0]["status"]
    for field in ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "numberAvailable"):
        assert status[field] == 3, field
    assert (status["updatedNumberScheduled"], status["numberMisscheduled"]) == (3, 0)
    assert "numberUnavailable" not in status


def test_nodes_come_and_go_and_stop_being_meant() -> None:
    made = world(2)
    made.settle(CONTROLLER, between=kubelet)
    made.put(NODES, {"metadata": {"name": "n9"}, "spec": {}})
    made.put(NODES, {"metadata": {"name": "n0"}, "spec": {"taints": [{"key": "x", "effect": "NoExecute"}]}})
    made.settle(CONTROLLER, between=kubelet)
    assert set(images(made)) == {"n1", "n9"}
    made.put(NODES, {"metadata": {"name": "n1"}, "spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}})
    made.remove(NODES, "", "n9")
    made.settle(CONTROLLER, between=kubelet)
    assert set(images(made)) == {"n1"}
    assert made.list(DAEMON_SETS)[0]["status"]["numberMisscheduled"] == 1


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_replaced(phase: str) -> None:
    made = world(1)
    made.settle(CONTROLLER, between=kubelet)
    (pod,) = made.list(PODS)
    ended = {"name": "c", "state": {"terminated": {"exitCode": 1, "finishedAt": rfc3339(made.now)}}}
    made.put(PODS, {**pod, "status": {"phase": phase, "containerStatuses": [ended]}})
    made.settle(CONTROLLER, between=kubelet)
    wait = made.plan(CONTROLLER, made.list(DAEMON_SETS)[0]).again_after
    assert wait == (timedelta(seconds=1) if phase == "Failed" else None)
    made.now += timedelta(seconds=1)
    made.settle(CONTROLLER, between=kubelet)
    (new,) = made.list(PODS)
    assert name_of(new) != name_of(pod)


@settings(max_examples=25)
@given(nodes=st.integers(1, 5), most=st.sampled_from([1, 2, "50%"]), surge=st.booleans())
def test_an_update_replaces_every_pod_and_never_more_at_a_time_than_may_be_missing(
    nodes: int, most: int | str, surge: bool
) -> None:
    rolling = {"maxSurge": most, "maxUnavailable": 0} if surge else {"maxSurge": 0, "maxUnavailable": most}
    made = world(nodes, updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    made.settle(CONTROLLER, between=kubelet)
    image(made, "v2")
    limit = max(1, -(-nodes // 2) if most == "50%" else int(most))
    fewest, pods = nodes, nodes

    def watched(each: World) -> None:
        nonlocal fewest, pods
        serving = {node_of_pod(pod) for pod in each.list(PODS) if is_ready(pod)}
        fewest, pods = min(fewest, len(serving)), max(pods, len(each.list(PODS)))
        kubelet(each)

    made.settle(CONTROLLER, between=watched)
    assert images(made) == {f"n{number}": "v2" for number in range(nodes)}
    assert len(made.list(PODS)) == nodes
    assert fewest >= (nodes if surge else nodes - limit)
    assert pods <= nodes + (limit if surge else 0)
    assert made.reconcile(CONTROLLER) == 0


def test_on_delete_waits_for_somebody_to_delete() -> None:
    made = world(2, updateStrategy={"type": "OnDelete"})
    made.settle(CONTROLLER, between=kubelet)
    image(made, "v2")
    made.settle(CONTROLLER, between=kubelet)
    assert set(images(made).values()) == {"v1"}
    made.remove(PODS, "ns", name_of(made.list(PODS)[0]))
    made.settle(CONTROLLER, between=kubelet)
    assert sorted(images(made).values()) == ["v1", "v2"]


def test_a_rollback_brings_the_old_revision_to_the_front() -> None:
    made = world(1, revisionHistoryLimit=1)
    for name in ("v1", "v2", "v1", "v3", "v4"):
        image(made, name)
        made.settle(CONTROLLER, between=kubelet)
    assert images(made) == {"n0": "v4"}
    revisions = {
        each["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: each for each in made.list(REVISIONS)
    }
    assert {name: each["revision"] for name, each in revisions.items()} == {"v3": 4, "v4": 5}
    assert revisions["v4"]["data"]["spec"]["template"]["$patch"] == "replace"
    (pod,) = made.list(PODS)
    hash_ = "controller-revision-hash"
    assert pod["metadata"]["labels"][hash_] == revisions["v4"]["metadata"]["labels"][hash_]


def test_pods_are_adopted_by_their_labels() -> None:
    made = world(1)
    pod = {"metadata": {"name": "stray", "namespace": "ns", "labels": {"app": "d"}}, "spec": {"nodeName": "n0"}}
    made.put(PODS, pod)
    made.settle(CONTROLLER, between=kubelet)
    assert all(each["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet" for each in made.list(PODS))
    assert len(made.list(PODS)) == 1
