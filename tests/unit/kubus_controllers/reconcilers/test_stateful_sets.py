"""StatefulSets, played in a small world that notes in which order pods come and go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.kinds.controllerrevisions import KIND as REVISIONS
from kubus.model.kinds.persistentvolumeclaims import KIND as CLAIMS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.statefulsets import KIND as STATEFUL_SETS
from kubus.model.kinds.statefulsets import set_defaults
from kubus.model.objects import Object, name_of
from kubus.model.times import rfc3339
from kubus.testing.world import World
from kubus_controllers.reconcilers.stateful_sets import CONTROLLER


class Play:
    """A world with a StatefulSet `s`, and what happened to its pods."""

    def __init__(self, replicas: int = 3, **spec: Any) -> None:
        template = {"metadata": {"labels": {"app": "s"}}, "spec": {"containers": [{"name": "c", "image": "v1"}]}}
        selector = {"matchLabels": {"app": "s"}}
        obj: Object = {"metadata": {"name": "s", "namespace": "d"}}
        obj["spec"] = {"replicas": replicas, "selector": selector, "template": template, **spec}
        set_defaults(obj)
        self.world = World((STATEFUL_SETS, obj))
        self.story: list[str] = []
        self.sick: set[str] = set()
        self._seen: dict[str, str] = {}

    def run(self) -> Object:
        """Until nothing happens any more; the status."""
        self.world.settle(CONTROLLER, between=self._kubelet, rounds=300)
        return dict(self.world.list(STATEFUL_SETS)[0]["status"])

    def change(self, **spec: Any) -> Object:
        there = self.world.list(STATEFUL_SETS)[0]
        self.world.put(STATEFUL_SETS, {**there, "spec": {**there["spec"], **spec}})
        self.story.clear()
        return self.run()

    def image(self, name: str) -> Object:
        template = self.world.list(STATEFUL_SETS)[0]["spec"]["template"]
        (container,) = template["spec"]["containers"]
        spec = {**template["spec"], "containers": [{**container, "image": name}]}
        return self.change(template={**template, "spec": spec})

    def images(self) -> list[str]:
        return [pod["spec"]["containers"][0]["image"] for pod in self.world.list(PODS)]

    def make_sick(self, *names: str) -> None:
        self.sick = set(names)
        self._kubelet(self.world)

    def _kubelet(self, world: World) -> None:
        pods = {name_of(pod): pod for pod in world.list(PODS)}
        for name, uid in list(self._seen.items()):
            if name not in pods or pods[name]["metadata"]["uid"] != uid:
                self.story.append(f"-{name[2:]}")
                del self._seen[name]
        for name, pod in pods.items():
            if name not in self._seen:
                self.story.append(f"+{name[2:]}")
                self._seen[name] = pod["metadata"]["uid"]
            ready = {"type": "Ready", "status": str(name not in self.sick), "lastTransitionTime": rfc3339(world.now)}
            status = {"phase": "Running", "conditions": [ready]}
            if pod.get("status") != status:
                world.put(PODS, {**pod, "status": status})


def test_pods_come_in_order_and_go_in_reverse() -> None:
    play = Play(3)
    status = play.run()
    assert play.story == ["+0", "+1", "+2"]
    for field in ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"):
        assert status[field] == 3, field
    assert status["currentRevision"] == status["updateRevision"]
    status = play.change(replicas=1)
    assert play.story == ["-2", "-1"]
    assert (status["replicas"], status["readyReplicas"]) == (1, 1)


def test_ordinals_may_start_elsewhere() -> None:
    play = Play(2, ordinals={"start": 5})
    play.run()
    assert play.story == ["+5", "+6"]
    play.change(ordinals={"start": 4})
    assert [name_of(pod) for pod in play.world.list(PODS)] == ["s-4", "s-5"]


def test_in_order_nothing_goes_on_while_a_pod_is_unwell() -> None:
    play = Play(2)
    play.run()
    play.make_sick("s-0", "s-1")
    play.change(replicas=4)
    assert play.story == []
    play.change(replicas=0)
    assert play.story == [], "only the first unwell one may go, and it is not the last"
    play.make_sick("s-0")
    play.change(replicas=0)
    assert play.story == ["-1", "-0"]


def test_in_parallel_nobody_waits() -> None:
    play = Play(3, podManagementPolicy="Parallel")
    play.make_sick("s-0", "s-1", "s-2")
    before = play.world.revision
    play.world.reconcile(CONTROLLER)
    assert [name_of(pod) for pod in play.world.list(PODS)] == ["s-0", "s-1", "s-2"]
    assert play.world.revision > before
    play.run()
    play.change(replicas=0)
    assert sorted(play.story) == ["-0", "-1", "-2"]


@settings(max_examples=25)
@given(replicas=st.integers(0, 4), partition=st.integers(0, 5), parallel=st.booleans())
def test_an_update_goes_from_the_last_to_the_partition_one_at_a_time(
    replicas: int, partition: int, parallel: bool
) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    policy = "Parallel" if parallel else "OrderedReady"
    play = Play(replicas, updateStrategy=strategy, podManagementPolicy=policy)
    before = play.run()["updateRevision"]
    status = play.image("v2")
    kept = min(partition, replicas)
    assert play.images() == ["v1"] * kept + ["v2"] * (replicas - kept)
    turns = range(replicas - 1, kept - 1, -1)
    assert play.story == [step for ordinal in turns for step in (f"-{ordinal}", f"+{ordinal}")]
    assert status["updateRevision"] != before
    assert status["currentRevision"] == (before if kept else status["updateRevision"])
    assert status.get("updatedReplicas", 0) == replicas - kept
    assert play.world.reconcile(CONTROLLER) == 0


def test_below_the_partition_a_pod_is_made_anew_from_the_template_it_had() -> None:
    play = Play(3, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    play.run()
    play.image("v2")
    for name in ("s-0", "s-2"):
        play.world.remove(PODS, "d", name)
    play.run()
    assert play.images() == ["v1", "v1", "v2"]
    play.change(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
    assert play.images() == ["v2"] * 3


def test_a_rollback_is_an_update_like_any_other() -> None:
    play = Play(2)
    first = play.run()["updateRevision"]
    play.image("v2")
    status = play.image("v1")
    assert status["currentRevision"] == first
    assert sorted(each["revision"] for each in play.world.list(REVISIONS)) == [2, 3]


def test_on_delete_waits_for_somebody_to_delete() -> None:
    play = Play(2, updateStrategy={"type": "OnDelete"})
    play.run()
    play.image("v2")
    assert play.story == []
    play.world.remove(PODS, "d", "s-0")
    play.run()
    assert play.images() == ["v2", "v1"]


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_made_anew(phase: str) -> None:
    play = Play(1)
    play.run()
    (pod,) = play.world.list(PODS)
    play.world.put(PODS, {**pod, "status": {"phase": phase}})
    play.world.reconcile(CONTROLLER)
    play.run()
    assert play.world.list(PODS)[0]["metadata"]["uid"] != pod["metadata"]["uid"]
    reasons = [record.reason for record in play.world.records]
    assert ("RecreatingFailedPod" if phase == "Failed" else "RecreatingTerminatedPod") in reasons


def test_claims_come_before_their_pod_and_stay_when_it_goes() -> None:
    template = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    play = Play(2, volumeClaimTemplates=[template])
    play.run()
    play.change(replicas=0)
    assert [name_of(claim) for claim in play.world.list(CLAIMS)] == ["data-s-0", "data-s-1"]
    play.change(replicas=1)
    assert len(play.world.list(CLAIMS)) == 2


@pytest.mark.parametrize(
    ("meta", "adopted"),
    [
        ({"name": "s-0", "labels": {"app": "s"}}, True),
        ({"name": "other", "labels": {"app": "s"}}, False),
    ],
)
def test_only_a_pod_of_its_name_is_adopted(meta: Object, adopted: bool) -> None:
    play = Play(1)
    play.world.put(PODS, {"metadata": {**meta, "namespace": "d"}, "spec": {"containers": []}})
    play.run()
    pod = play.world.get(PODS, "d", meta["name"])
    assert pod is not None and bool(pod["metadata"].get("ownerReferences")) is adopted


def test_a_pod_that_no_longer_matches_is_released() -> None:
    play = Play(1)
    play.run()
    (pod,) = play.world.list(PODS)
    play.world.put(PODS, {**pod, "metadata": {**pod["metadata"], "labels": {}}})
    plan = play.world.plan(CONTROLLER, play.world.list(STATEFUL_SETS)[0])
    play.world.carry_out(plan.actions[0])
    assert play.world.list(PODS)[0]["metadata"]["ownerReferences"] == []


def test_a_set_that_is_being_deleted_adopts_no_pod_that_was_set_free() -> None:
    play = Play(2)
    play.run()
    there = play.world.list(STATEFUL_SETS)[0]
    meta = {**there["metadata"], "deletionTimestamp": rfc3339(play.world.now), "finalizers": ["orphan"]}
    play.world.put(STATEFUL_SETS, {**there, "metadata": meta})
    for pod in play.world.list(PODS):
        play.world.put(PODS, {**pod, "metadata": {**pod["metadata"], "ownerReferences": []}})
    play.world.reconcile(CONTROLLER)
    assert [pod["metadata"]["ownerReferences"] for pod in play.world.list(PODS)] == [[], []]


def test_a_set_made_anew_takes_pods_and_revisions_that_were_left_as_they_are() -> None:
    play = Play(2)
    play.run()
    play.image("v2")
    before = {pod["metadata"]["uid"] for pod in play.world.list(PODS)}
    there = play.world.list(STATEFUL_SETS)[0]
    play.world.remove(STATEFUL_SETS, "d", "s")
    for kind in (PODS, REVISIONS):
        for each in play.world.list(kind):
            play.world.put(kind, {**each, "metadata": {**each["metadata"], "ownerReferences": []}})
    meta = {"name": "s", "namespace": "d", "uid": "made anew"}
    play.world.put(STATEFUL_SETS, {"metadata": meta, "spec": there["spec"]})
    status = play.run()
    assert {pod["metadata"]["uid"] for pod in play.world.list(PODS)} == before
    assert (status["updatedReplicas"], status["readyReplicas"], status["collisionCount"]) == (2, 2, 0)
    owners = [
        each["metadata"]["ownerReferences"][0]["uid"] for kind in (PODS, REVISIONS) for each in play.world.list(kind)
    ]
    assert set(owners) == {"made anew"}
