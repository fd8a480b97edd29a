"""Jobs that come when their time has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kubus.model.kinds.cronjobs import KIND as CRON_JOBS
from kubus.model.kinds.cronjobs import set_defaults
from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.objects import Object, name_of
from kubus.model.times import rfc3339
from kubus.testing.world import World
from kubus_controllers.reconcilers.cron_jobs import CONTROLLER, SCHEDULED

MINUTE = timedelta(minutes=1)


def cron(schedule: str = "* * * * *", **spec: Any) -> World:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {"spec": {"containers": []}}}}
    obj: Object = {"metadata": {"name": "c", "namespace": "d"}}
    obj["spec"] = {"schedule": schedule, "jobTemplate": template, **spec}
    set_defaults(obj)
    return World((CRON_JOBS, obj))


def passes(world: World, time: timedelta) -> list[str]:
    """The names of all Jobs after some time."""
    world.now += time
    world.settle(CONTROLLER)
    return [name_of(job) for job in world.list(JOBS)]


def finish(world: World, name: str, type_: str = "Complete") -> None:
    job = world.get(JOBS, "d", name)
    assert job is not None
    condition = {"type": type_, "status": "True", "lastTransitionTime": rfc3339(world.now)}
    status = {"startTime": rfc3339(world.now), "conditions": [condition]}
    if type_ == "Complete":
        status["completionTime"] = rfc3339(world.now)
    world.put(JOBS, {**job, "status": status})
    world.settle(CONTROLLER)


def status(world: World) -> Object:
    return dict(world.list(CRON_JOBS)[0].get("status") or {})


def test_a_job_comes_at_its_time_named_after_it() -> None:
    world = cron()
    assert passes(world, timedelta(seconds=59)) == []
    assert world.plan(CONTROLLER, world.list(CRON_JOBS)[0]).again_after == timedelta(seconds=1)
    (name,) = passes(world, timedelta(seconds=1))
    assert name == f"c-{int(world.now.timestamp()) // 60}"
    (job,) = world.list(JOBS)
    assert job["metadata"]["labels"] == {"a": "b"}
    assert job["metadata"]["annotations"] == {SCHEDULED: rfc3339(world.now)}
    assert job["metadata"]["ownerReferences"][0]["controller"]
    assert status(world)["lastScheduleTime"] == rfc3339(world.now)
    assert [each["name"] for each in status(world)["active"]] == [name]
    finish(world, name)
    assert "active" not in status(world)
    assert status(world)["lastSuccessfulTime"] == rfc3339(world.now)
    assert [record.reason for record in world.records] == ["SuccessfulCreate", "SawCompletedJob"]


@pytest.mark.parametrize(
    ("policy", "jobs"), [("Allow", ["first", "second"]), ("Forbid", ["first"]), ("Replace", ["second"])]
)
def test_runs_overlap_as_the_policy_says(policy: str, jobs: list[str]) -> None:
    world = cron(concurrencyPolicy=policy)
    (first,) = passes(world, MINUTE)
    names = {first: "first"}
    assert [names.get(each, "second") for each in passes(world, MINUTE)] == jobs
    if policy == "Forbid":
        finish(world, first)
        assert len(passes(world, timedelta(0))) == 2, "the missed run comes when there is room"


def test_only_the_last_of_many_missed_times_is_made_up_for() -> None:
    world = cron()
    assert len(passes(world, timedelta(hours=3, seconds=10))) == 1
    assert status(world)["lastScheduleTime"] == "2026-01-01T15:00:00Z"


def test_what_is_too_late_does_not_come() -> None:
    world = cron("0 * * * *", startingDeadlineSeconds=60)
    assert passes(world, timedelta(hours=1, minutes=2)) == []
    assert {record.reason for record in world.records} == {"MissSchedule"}
    assert len(passes(world, timedelta(minutes=58, seconds=30))) == 1


def test_a_suspended_one_rests_and_makes_up_for_it_afterwards() -> None:
    world = cron(suspend=True)
    assert passes(world, timedelta(hours=1)) == []
    there = world.list(CRON_JOBS)[0]
    world.put(CRON_JOBS, {**there, "spec": {**there["spec"], "suspend": False}})
    assert len(passes(world, timedelta(0))) == 1


def test_finished_jobs_are_kept_up_to_the_limits() -> None:
    world = cron(successfulJobsHistoryLimit=2, failedJobsHistoryLimit=0)
    for number in range(5):
        newest = passes(world, MINUTE)[-1]
        finish(world, newest, "Failed" if number == 4 else "Complete")
    assert len(world.list(JOBS)) == 2
    assert newest not in [name_of(job) for job in world.list(JOBS)]


@pytest.mark.parametrize(
    ("spec", "reason"), [({"timeZone": "Nowhere/Land"}, "UnknownTimeZone"), ({"schedule": "no"}, "UnparseableSchedule")]
)
def test_what_makes_no_sense_is_said(spec: Object, reason: str) -> None:
    world = cron(**spec)
    assert passes(world, timedelta(hours=1)) == []
    assert {record.reason for record in world.records} == {reason}


def test_the_schedule_holds_in_its_time_zone() -> None:
    world = cron("0 14 * * *", timeZone="Europe/Berlin")
    passes(world, timedelta(hours=1))
    (job,) = world.list(JOBS)
    assert job["metadata"]["annotations"] == {SCHEDULED: "2026-01-01T14:00:00+01:00"}
