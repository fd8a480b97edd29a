"""What a failed pod of a Job means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kubus.model.objects import Object
from kubus.model.times import rfc3339
from kubus.testing.world import START
from kubus_controllers.reconcilers.job_failures import (
    FAILURES,
    PAUSE_MAX,
    failures_of_index,
    finished_at,
    is_failed,
    judged,
    pause_left,
    restarts,
)


def job(*rules: Object, **spec: Any) -> Object:
    return {"spec": {"podFailurePolicy": {"rules": list(rules)}, **spec}}


def pod(phase: str = "Failed", code: int = 1, after: float = 0, **meta: Any) -> Object:
    ended = {"exitCode": code, "finishedAt": rfc3339(START + timedelta(seconds=after))}
    containers = [{"name": "c", "restartCount": 2, "state": {"terminated": ended}}]
    target = [{"type": "DisruptionTarget", "status": "True"}] if meta.pop("disrupted", False) else []
    status = {"phase": phase, "containerStatuses": containers, "conditions": target}
    return {"metadata": {"name": "p", "namespace": "d", **meta}, "status": status}


def codes(action: str, operator: str, *values: int, **more: str) -> Object:
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values), **more}}


DISRUPTED = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


@pytest.mark.parametrize(
    ("rules", "failed", "expected"),
    [
        ((), pod(), "Count"),
        ((codes("FailJob", "In", 1, 2),), pod(), "FailJob"),
        ((codes("FailJob", "In", 3),), pod(), "Count"),
        ((codes("FailJob", "NotIn", 3),), pod(), "FailJob"),
        ((codes("FailJob", "NotIn", 1),), pod(), "Count"),
        ((codes("FailJob", "In", 1, containerName="other"),), pod(), "Count"),
        ((codes("Ignore", "NotIn", 7),), pod(code=0), "Count"),
        ((DISRUPTED,), pod(disrupted=True), "Ignore"),
        ((DISRUPTED,), pod(), "Count"),
        ((codes("Count", "In", 1), DISRUPTED), pod(disrupted=True), "Count"),
        ((codes("FailJob", "In", 1),), pod(phase="Running", deletionTimestamp="x"), "Count"),
    ],
)
def test_the_first_rule_that_matches_decides(rules: tuple[Object, ...], failed: Object, expected: str) -> None:
    assert judged(job(*rules), failed).consequence == expected


def test_a_rule_says_how_it_matched() -> None:
    assert judged(job(DISRUPTED), pod(disrupted=True)).message == (
        "Pod d/p has condition DisruptionTarget matching Ignore rule at index 0"
    )


@pytest.mark.parametrize(
    ("policy", "phase", "deleting", "expected"),
    [
        ("TerminatingOrFailed", "Failed", False, True),
        ("TerminatingOrFailed", "Running", False, False),
        ("TerminatingOrFailed", "Running", True, True),
        ("TerminatingOrFailed", "Succeeded", True, False),
        ("Failed", "Running", True, False),
        ("Failed", "Pending", True, True),
        ("Failed", "Failed", True, True),
    ],
)
def test_a_pod_that_is_deleted_has_failed_unless_only_failed_ones_count(
    policy: str, phase: str, deleting: bool, expected: bool
) -> None:
    each = pod(phase, deletionTimestamp="x" if deleting else None)
    assert is_failed(job(podReplacementPolicy=policy), each) is expected


def test_a_pod_ends_with_its_last_container_or_with_its_object() -> None:
    assert finished_at(pod(after=7)) == START + timedelta(seconds=7)
    assert finished_at({"metadata": {"creationTimestamp": rfc3339(START)}}) == START
    assert finished_at({"metadata": {}}) is None
    assert restarts([pod(), pod()]) == 4
    assert failures_of_index({"metadata": {"annotations": {FAILURES: "3"}}}) == 3


@pytest.mark.parametrize(
    ("pods", "seconds"),
    [
        ((), 0),
        ((pod(),), 10),
        ((pod(), pod()), 20),
        ((pod(), pod("Succeeded", 0, after=-5)), 10),
        ((pod(), pod("Succeeded", 0, after=5)), 0),
        ((pod(after=-60),), 0),
        ((pod(disrupted=True),), 0),
        ((pod(),) * 30, PAUSE_MAX.total_seconds()),
    ],
)
def test_pauses_double_with_each_failure_in_a_row(pods: tuple[Object, ...], seconds: float) -> None:
    assert pause_left(job(DISRUPTED), pods, START) == timedelta(seconds=seconds)
