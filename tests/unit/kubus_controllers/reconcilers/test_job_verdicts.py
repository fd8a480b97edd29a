"""When a Job is over, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kubus.model.objects import Object
from kubus.model.times import rfc3339
from kubus.testing.world import START
from kubus_controllers.reconcilers.job_tally import Tally
from kubus_controllers.reconcilers.job_verdicts import deadline_left, is_over, verdict

RUNNING: Object = {"status": {"phase": "Running", "containerStatuses": [{"restartCount": 2}]}}


def job(status: Object | None = None, **spec: Any) -> Object:
    return {"spec": {"completions": 3, "backoffLimit": 2, **spec}, "status": status or {}}


def count(succeeded: int = 0, failed: int = 0, completed: str = "", broken: str = "", fatal: str = "") -> Tally:
    done, gone = (frozenset(map(int, text.split())) for text in (completed, broken))
    return Tally(succeeded, failed, done, gone, {"uncountedTerminatedPods": {}}, (), fatal)


INDEXED: Object = {"completionMode": "Indexed", "backoffLimitPerIndex": 1, "backoffLimit": 99}
BY_COUNT: Object = {"successPolicy": {"rules": [{"succeededIndexes": "9"}, {"succeededCount": 1}]}}


@pytest.mark.parametrize(
    ("obj", "tally", "active", "reason"),
    [
        (job(), count(2, 2), 1, ""),
        (job(), count(3, 0), 0, "CompletionsReached"),
        (job(), count(0, 3), 1, "BackoffLimitExceeded"),
        (job(completions=None), count(1), 1, ""),
        (job(completions=None), count(1), 0, "CompletionsReached"),
        (job(completions=0), count(), 0, "CompletionsReached"),
        (job(), count(3, 1, fatal="no"), 0, "PodFailurePolicy"),
        (job(template={"spec": {"restartPolicy": "OnFailure"}}), count(), 1, "BackoffLimitExceeded"),
        (job(template={"spec": {"restartPolicy": "OnFailure"}}, backoffLimit=3), count(), 1, ""),
        (job(**INDEXED), count(2, 5, "0 1", "2"), 0, "FailedIndexes"),
        (job(**INDEXED), count(1, 5, "0", "2"), 1, ""),
        (job(**INDEXED, maxFailedIndexes=0), count(1, 1, "0", "2"), 1, "MaxFailedIndexesExceeded"),
        (job(completionMode="Indexed", **BY_COUNT), count(1, 0, "0"), 1, "SuccessPolicy"),
        (job(completionMode="Indexed", **BY_COUNT), count(), 1, ""),
    ],
)
def test_a_job_ends_for_a_reason(obj: Object, tally: Tally, active: int, reason: str) -> None:
    found = verdict(obj, tally, [RUNNING] * active, START)
    assert (found.reason if found else "") == reason


def test_a_written_verdict_stands_whatever_happens() -> None:
    written = {"type": "SuccessCriteriaMet", "status": "True", "reason": "SuccessPolicy", "message": "m"}
    found = verdict(job({"conditions": [written]}), count(0, 99), [], START)
    assert found is not None
    assert (found.good, found.reason, found.interim, found.final) == (
        True,
        "SuccessPolicy",
        "SuccessCriteriaMet",
        "Complete",
    )


def test_a_deadline_counts_from_the_start_and_not_while_suspended() -> None:
    started = {"startTime": rfc3339(START)}
    assert deadline_left(job(started, activeDeadlineSeconds=60), START) == timedelta(minutes=1)
    assert deadline_left(job(started, activeDeadlineSeconds=60, suspend=True), START) is None
    assert deadline_left(job(activeDeadlineSeconds=60), START) is None
    found = verdict(job(started, activeDeadlineSeconds=60), count(), [], START + timedelta(minutes=1))
    assert found is not None and found.reason == "DeadlineExceeded"


@pytest.mark.parametrize(("type_", "over"), [("Complete", True), ("Failed", True), ("FailureTarget", False)])
def test_only_the_last_condition_means_that_it_is_over(type_: str, over: bool) -> None:
    assert is_over(job({"conditions": [{"type": type_, "status": "True"}]})) is over
