"""Jobs, played to their end in a small world."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.machinery.plans import Create
from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.kinds.jobs import prepare, set_defaults
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object, is_deleting, name_of
from kubus.model.times import rfc3339
from kubus.testing.world import World
from kubus_controllers.reconcilers.job_indexes import index_of
from kubus_controllers.reconcilers.job_tally import FINALIZER
from kubus_controllers.reconcilers.jobs import CONTROLLER

Outcome = Callable[[Object], str | int | None]
"""What becomes of a pod: "Succeeded", an exit code, or None: it runs on."""


def job(**spec: Any) -> World:
    template = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}
    obj: Object = {"metadata": {"name": "j", "namespace": "d", "uid": "j-uid"}, "spec": {"template": template, **spec}}
    set_defaults(obj)
    prepare(obj, None)
    return World((JOBS, obj))


def play(outcome: Outcome) -> Callable[[World], None]:
    """A kubelet: pods run, end as they are told to, and end when they are deleted."""

    def between(world: World) -> None:
        for pod in world.list(PODS):
            status = pod.get("status") or {}
            if status.get("phase") in ("Succeeded", "Failed"):
                continue
            result = 137 if is_deleting(pod) else outcome(pod)
            state: Object
            if result is None:
                phase, state = "Running", {"running": {}}
            else:
                code = 0 if result == "Succeeded" else int(result)
                phase = "Failed" if code else "Succeeded"
                state = {"terminated": {"exitCode": code, "finishedAt": rfc3339(world.now)}}
            ready = {"type": "Ready", "status": "True" if phase == "Running" else "False"}
            new = {"phase": phase, "conditions": [ready], "containerStatuses": [{"name": "c", "state": state}]}
            if new != status:
                world.put(PODS, {**pod, "status": new})

    return between


def run(world: World, outcome: Outcome, *, hours: int = 0) -> Object:
    """Until nothing happens any more, and then after each pause within so many hours."""
    world.settle(CONTROLLER, between=play(outcome), rounds=300)
    end = world.now + timedelta(hours=hours)
    while world.now < end:
        wait = world.plan(CONTROLLER, world.list(JOBS)[0]).again_after
        if wait is None:
            break
        world.now += wait
        world.settle(CONTROLLER, between=play(outcome), rounds=300)
    return dict(world.list(JOBS)[0]["status"])


def conditions(status: Object) -> list[tuple[str, str]]:
    return [(each["type"], each["reason"]) for each in status.get("conditions", ()) if each["status"] == "True"]


COMPLETE = [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]


def test_one_pod_that_succeeds_completes_a_job() -> None:
    world = job()
    status = run(world, lambda pod: "Succeeded")
    assert conditions(status) == COMPLETE
    assert (status["succeeded"], status["ready"], status["terminating"]) == (1, 0, 0)
    assert status["startTime"] and status["completionTime"]
    assert status["uncountedTerminatedPods"] == {}
    (pod,) = world.list(PODS)
    assert "finalizers" not in pod["metadata"]
    assert [record.reason for record in world.records] == ["SuccessfulCreate", "Completed"]


def test_a_running_job_counts_its_pods_which_bear_what_is_theirs() -> None:
    world = job(parallelism=2, completions=5)
    status = run(world, lambda pod: None)
    assert (status["active"], status["ready"]) == (2, 2)
    assert "conditions" not in status
    for pod in world.list(PODS):
        assert pod["metadata"]["finalizers"] == [FINALIZER]
        assert pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "j"
        assert pod["metadata"]["ownerReferences"][0]["kind"] == "Job"


@settings(max_examples=30)
@given(completions=st.integers(0, 6), parallelism=st.integers(1, 4), bad=st.integers(0, 3), indexed=st.booleans())
def test_every_job_that_may_fail_often_enough_is_done_as_often_as_asked(
    completions: int, parallelism: int, bad: int, indexed: bool
) -> None:
    world = job(
        completions=completions,
        parallelism=parallelism,
        backoffLimit=bad,
        completionMode="Indexed" if indexed else "NonIndexed",
    )
    failures: set[str] = set()

    def outcome(pod: Object) -> str | int:
        if len(failures) < bad:
            failures.add(name_of(pod))
            return 1
        return "Succeeded"

    most = 0

    def watch(each: World) -> None:
        nonlocal most
        active = [pod for pod in each.list(PODS) if (pod.get("status") or {}).get("phase", "Pending") == "Pending"]
        most = max(most, len(active))
        play(outcome)(each)

    world.settle(CONTROLLER, between=watch, rounds=300)
    status = run(world, outcome, hours=2)
    assert conditions(status) == COMPLETE
    assert status.get("succeeded", 0) == completions
    assert status.get("failed", 0) == len(failures)
    assert most <= parallelism
    assert all("finalizers" not in pod["metadata"] for pod in world.list(PODS))
    assert world.reconcile(CONTROLLER) == 0


def test_too_many_failures_fail_a_job_and_end_what_runs() -> None:
    world = job(completions=3, parallelism=2, backoffLimit=1)
    first: list[str] = []

    def outcome(pod: Object) -> int | None:
        if not first or name_of(pod) != first[0]:
            first.append(name_of(pod))
            return 1 if len(first) > 1 else None
        return None

    status = run(world, outcome, hours=1)
    assert conditions(status) == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert status["conditions"][-1]["message"] == "Job has reached the specified backoff limit"
    assert "active" not in status and "completionTime" not in status
    assert status["failed"] == 3, "those that were deleted count as well"


def test_pauses_between_failures_double() -> None:
    world = job(backoffLimit=3)
    began = world.now
    run(world, lambda pod: 1, hours=1)
    assert world.now - began == timedelta(seconds=10 + 20 + 40)
    assert len(world.list(PODS)) == 4


def test_a_deadline_ends_a_job() -> None:
    world = job(activeDeadlineSeconds=60)
    status = run(world, lambda pod: None)
    assert world.plan(CONTROLLER, world.list(JOBS)[0]).again_after == timedelta(seconds=60)
    status = run(world, lambda pod: None, hours=1)
    assert conditions(status)[-1] == ("Failed", "DeadlineExceeded")


def test_a_suspended_job_has_no_pods_and_starts_anew_when_it_goes_on() -> None:
    world = job(suspend=True, completions=2, parallelism=2)
    status = run(world, lambda pod: None)
    assert world.list(PODS) == []
    assert "startTime" not in status
    assert conditions(status) == [("Suspended", "JobSuspended")]
    there = world.list(JOBS)[0]
    world.put(JOBS, {**there, "spec": {**there["spec"], "suspend": False}})
    status = run(world, lambda pod: None)
    assert (status["active"], conditions(status)) == (2, [])
    assert status["conditions"][0]["reason"] == "JobResumed"
    there = world.list(JOBS)[0]
    world.put(JOBS, {**there, "spec": {**there["spec"], "suspend": True}})
    status = run(world, lambda pod: None)
    assert conditions(status) == [("Suspended", "JobSuspended")]
    assert "active" not in status
    assert [r.reason for r in world.records if r.about["kind"] == "Job"][:2] == ["Suspended", "SuccessfulCreate"]


def test_an_indexed_job_runs_each_index_and_names_its_pods_after_it() -> None:
    world = job(completionMode="Indexed", completions=4, parallelism=2)
    status = run(world, lambda pod: "Succeeded" if index_of(pod) != 2 else None)
    assert status["completedIndexes"] == "0-1,3"
    assert sorted(index_of(pod) or 0 for pod in world.list(PODS)) == [0, 1, 2, 3]
    pod = next(pod for pod in world.list(PODS) if index_of(pod) == 2)
    assert pod["spec"]["hostname"] == "j-2"
    assert pod["metadata"]["name"].startswith("j-2-")
    (env,) = pod["spec"]["containers"][0]["env"]
    path = "metadata.labels['batch.kubernetes.io/job-completion-index']"
    assert env == {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": path}}}
    assert conditions(run(world, lambda pod: "Succeeded")) == COMPLETE


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ({"succeededIndexes": "0-1"}, "Matched rules at index 0"),
        ({"succeededCount": 2}, "Matched rules at index 0"),
        ({"succeededIndexes": "0-2", "succeededCount": 2}, "Matched rules at index 0"),
        ({"succeededIndexes": "3"}, ""),
        ({"succeededCount": 3}, ""),
    ],
)
def test_a_success_policy_is_content_with_less(rule: Object, met: str) -> None:
    policy = {"rules": [rule]}
    world = job(completionMode="Indexed", completions=4, parallelism=4, successPolicy=policy)
    status = run(world, lambda pod: "Succeeded" if index_of(pod) in (0, 1) else None)
    if met:
        assert conditions(status) == [("SuccessCriteriaMet", "SuccessPolicy"), ("Complete", "SuccessPolicy")]
        assert status["conditions"][0]["message"] == met
        assert "active" not in status
    else:
        assert conditions(status) == [] and status["active"] == 2


def test_each_index_may_fail_so_often_and_the_others_go_on() -> None:
    world = job(completionMode="Indexed", completions=3, parallelism=3, backoffLimitPerIndex=1)
    status = run(world, lambda pod: 1 if index_of(pod) == 1 else "Succeeded", hours=2)
    assert (status["completedIndexes"], status["failedIndexes"], status["failed"]) == ("0,2", "1", 2)
    assert conditions(status) == [("FailureTarget", "FailedIndexes"), ("Failed", "FailedIndexes")]


def test_too_many_failed_indexes_end_a_job() -> None:
    spec = {"completionMode": "Indexed", "completions": 4, "parallelism": 2}
    world = job(**spec, backoffLimitPerIndex=0, maxFailedIndexes=1)
    status = run(world, lambda pod: 1 if index_of(pod) in (0, 1) else None, hours=1)
    assert conditions(status)[-1] == ("Failed", "MaxFailedIndexesExceeded")


@pytest.mark.parametrize(
    ("action", "reason", "failed"),
    [
        ("FailJob", ("Failed", "PodFailurePolicy"), 1),
        ("Ignore", COMPLETE[-1], 0),
        ("Count", COMPLETE[-1], 1),
    ],
)
def test_a_rule_says_what_an_exit_code_means(action: str, reason: tuple[str, str], failed: int) -> None:
    rule = {"action": action, "onExitCodes": {"operator": "In", "values": [42]}}
    world = job(podFailurePolicy={"rules": [rule]})
    seen: list[str] = []

    def outcome(pod: Object) -> str | int:
        seen.append(name_of(pod))
        return 42 if len(seen) == 1 else "Succeeded"

    status = run(world, outcome, hours=1)
    assert conditions(status)[-1] == reason
    assert status.get("failed", 0) == failed
    if action == "FailJob":
        where = f"pod d/{seen[0]} failed with exit code 42 matching FailJob rule at index 0"
        assert status["conditions"][-1]["message"] == f"Container c for {where}"


def test_a_rule_may_give_an_index_up_at_once() -> None:
    rule = {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [42]}}
    spec = {"completionMode": "Indexed", "completions": 2, "parallelism": 2}
    world = job(**spec, backoffLimitPerIndex=5, podFailurePolicy={"rules": [rule]})
    status = run(world, lambda pod: 42 if index_of(pod) == 0 else "Succeeded", hours=1)
    assert (status["failedIndexes"], status["failed"]) == ("0", 1)


def test_a_smaller_parallelism_takes_pods_away_and_none_of_them_is_lost_to_the_count() -> None:
    world = job(parallelism=3, completions=9)
    run(world, lambda pod: None)
    there = world.list(JOBS)[0]
    world.put(JOBS, {**there, "spec": {**there["spec"], "parallelism": 1}})
    status = run(world, lambda pod: None)
    assert (status["active"], status["failed"]) == (1, 2)


def test_pods_are_adopted_and_released_by_their_labels() -> None:
    world = job()
    run(world, lambda pod: None)
    (pod,) = world.list(PODS)
    labels = pod["metadata"]["labels"]
    world.put(PODS, {**pod, "metadata": {**pod["metadata"], "labels": {}}})
    run(world, lambda pod: None)
    released = world.get(PODS, "d", name_of(pod))
    assert released is not None and not released["metadata"].get("ownerReferences")
    assert not released["metadata"].get("finalizers")
    world.put(PODS, {**released, "metadata": {**released["metadata"], "labels": labels}})
    run(world, lambda pod: None)
    adopted = world.get(PODS, "d", name_of(pod))
    assert adopted is None or adopted["metadata"]["ownerReferences"][0]["kind"] == "Job"


def test_pods_of_a_job_that_is_gone_lose_their_finalizer() -> None:
    world = job()
    run(world, lambda pod: None)
    gone, (pod,) = world.list(JOBS)[0], world.list(PODS)
    world.remove(JOBS, "d", "j")
    (_, watch) = CONTROLLER.watches
    assert [key.name for key in watch.wakes(gone, world)] == [name_of(pod)]
    world.reconcile(CONTROLLER, PODS)
    assert not world.list(PODS)[0]["metadata"].get("finalizers")


def test_somebody_elses_job_is_left_alone() -> None:
    world = job(managedBy="example.com/another")
    assert world.reconcile(CONTROLLER) == 0


def test_only_failed_pods_are_replaced_where_the_job_says_so() -> None:
    world = job(podReplacementPolicy="Failed")
    run(world, lambda pod: None)
    (pod,) = world.list(PODS)
    world.put(PODS, {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": rfc3339(world.now)}})
    plan = world.plan(CONTROLLER, world.list(JOBS)[0])
    assert not any(isinstance(action, Create) for action in plan.actions)
    run(world, lambda pod: None, hours=1)
    assert [index for index in world.list(PODS) if not is_deleting(index)]
