"""Jobs: defaults, the selector by uid, and row."""

from __future__ import annotations

import pytest

from kubus.model.kinds.jobs import KIND
from kubus.testing.kinds import created, sent, shown

TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [], "restartPolicy": "Never"}}


def _job(**spec):
    return created(KIND, sent(KIND, "j", spec={"template": TEMPLATE, **spec}, metadata={"uid": "u1"}))


def test_one_completion_and_six_retries():
    spec = _job()["spec"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (1, 1, 6)
    assert (spec["completionMode"], spec["suspend"]) == ("NonIndexed", False)
    assert spec["podReplacementPolicy"] == "TerminatingOrFailed"


def test_a_work_queue_has_no_completions():
    assert "completions" not in _job(parallelism=3)["spec"]


def test_a_job_selects_its_pods_by_its_own_uid():
    job = _job()
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}}
    assert job["spec"]["template"]["metadata"]["labels"] == {
        "app": "a",
        "batch.kubernetes.io/controller-uid": "u1",
        "batch.kubernetes.io/job-name": "j",
        "controller-uid": "u1",
        "job-name": "j",
    }
    assert job["metadata"]["labels"] == {"app": "a"}


def test_a_job_may_bring_its_own_selector():
    assert _job(manualSelector=True, selector={"matchLabels": {"app": "a"}})["spec"]["selector"] == {
        "matchLabels": {"app": "a"}
    }


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ([], "Running"),
        (["Suspended"], "Suspended"),
        (["Complete"], "Complete"),
        (["FailureTarget", "Failed"], "Failed"),
    ],
)
def test_the_status_is_the_condition_that_counts(conditions, status):
    made = [{"type": each, "status": "True"} for each in conditions]
    assert shown(KIND, sent(KIND, status={"conditions": made}))["Status"] == status


@pytest.mark.parametrize(
    ("spec", "text"),
    [({"completions": 5}, "2/5"), ({"parallelism": 3}, "2/1 of 3"), ({"parallelism": 1}, "2/1")],
)
def test_completions(spec, text):
    assert shown(KIND, sent(KIND, spec=spec, status={"succeeded": 2}))["Completions"] == text


def test_the_duration_ends_with_the_job():
    running = {"startTime": "2026-01-31T11:59:00Z"}
    assert shown(KIND, sent(KIND, status=running))["Duration"] == "60s"
    assert shown(KIND, sent(KIND, status={**running, "completionTime": "2026-01-31T11:59:07Z"}))["Duration"] == "7s"
    assert shown(KIND, sent(KIND))["Duration"] == ""
