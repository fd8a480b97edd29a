"""CronJob: a Job whenever the time has come.

Looked at late, only the last time that was missed is made up for, and that only within `startingDeadlineSeconds`. A
Job's name is derived from its time, so that the same time never has two. Where runs must not overlap the new one
waits for the next time (Forbid) or takes the old one's place (Replace). Finished Jobs are kept up to the limits.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kubus.machinery.plans import Action, Controller, Create, Delete, Plan, Record, SetStatus, View
from kubus.model.kinds.cronjobs import KIND as CRON_JOBS
from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.objects import (
    Object,
    annotations_of,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    uid_of,
)
from kubus.model.times import parse_time, rfc3339
from kubus_controllers.reconcilers.cron_schedules import Schedule, parse_schedule
from kubus_controllers.reconcilers.pods_of import condition_of, controller_reference, is_controlled_by

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def reconcile(cron_job: Object, view: View, now: datetime) -> Plan:
    """What is due, what is under way, what is too old."""
    jobs = [job for job in view.owned(JOBS, uid_of(cron_job)) if is_controlled_by(job, uid_of(cron_job))]
    running = sorted((job for job in jobs if not _ending(job)), key=name_of)
    status, events = _followed(cron_job, jobs, running)
    actions: list[Action] = list(_history(cron_job, jobs))
    again: timedelta | None = None
    if not is_deleting(cron_job):
        status, due, again = _due(cron_job, view, status, running, now)
        actions += due
    if status != (cron_job.get("status") or {}):
        actions.append(SetStatus(CRON_JOBS, {**cron_job, "status": status}))
    return Plan((*actions, *events) if actions else (), again_after=again)


def _ending(job: Object) -> str:
    """Complete or Failed; "" while the Job goes on."""
    for type_ in ("Complete", "Failed"):
        if (condition_of(job, type_) or {}).get("status") == "True":
            return type_
    return ""


def _followed(cron_job: Object, jobs: Sequence[Object], running: Sequence[Object]) -> tuple[Object, list[Record]]:
    """The status as far as it follows from what the Jobs say, and what is new."""
    status = dict(cron_job.get("status") or {})
    noted = {each.get("uid") for each in status.pop("active", ())}
    if running:
        status["active"] = [_reference(job) for job in running]
    events = []
    for job in jobs:
        if not (ending := _ending(job)):
            continue
        if uid_of(job) in noted:
            message = f"Saw completed job: {name_of(job)}, condition: {ending}"
            events.append(Record(cron_job, "SawCompletedJob", message))
        ended = path_of(job, "status", "completionTime")
        if ending == "Complete" and ended and ended > status.get("lastSuccessfulTime", ""):
            status["lastSuccessfulTime"] = ended
    return status, events


def _reference(job: Object) -> dict[str, Any]:
    meta = metadata(job)
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.name,
        "namespace": namespace_of(job),
        "name": name_of(job),
        "uid": uid_of(job),
        "resourceVersion": meta.get("resourceVersion", ""),
    }


def _due(
    cron_job: Object, view: View, status: Object, running: Sequence[Object], now: datetime
) -> tuple[Object, list[Action], timedelta | None]:
    """The status, what is to be done now, and when to look again."""
    spec = cron_job["spec"]
    if spec.get("suspend"):
        return status, [], None
    zone = _zone(spec.get("timeZone"))
    if zone is None:
        message = f"invalid timeZone: {spec.get('timeZone')}: unknown time zone {spec.get('timeZone')}"
        return status, [Record(cron_job, "UnknownTimeZone", message, "Warning")], None
    try:
        schedule = parse_schedule(spec["schedule"], zone)
    except ValueError as error:
        message = f"unparseable schedule: {spec['schedule']} : {error}"
        return status, [Record(cron_job, "UnparseableSchedule", message, "Warning")], None
    since = _since(cron_job)
    deadline = spec.get("startingDeadlineSeconds")
    latest = schedule.latest(since, now)
    again = _until_next(schedule, latest or since, now)
    if latest is None:
        return status, [], again
    if deadline is not None and latest + timedelta(seconds=deadline) < now:
        message = f"Missed scheduled time to start a job: {latest:%a, %d %b %Y %H:%M:%S} UTC"
        return status, [Record(cron_job, "MissSchedule", message, "Warning")], again
    actions: list[Action] = []
    if running and spec.get("concurrencyPolicy") == "Forbid":
        message = "Not starting job because prior execution is running and concurrency policy is Forbid"
        return status, [Record(cron_job, "JobAlreadyActive", message)], again
    if running and spec.get("concurrencyPolicy") == "Replace":
        for job in running:
            actions.append(Delete(JOBS, namespace_of(job), name_of(job), uid_of(job), propagation="Background"))
            actions.append(Record(cron_job, "SuccessfulDelete", f"Deleted job {name_of(job)}"))
    job = _job(cron_job, latest, zone)
    if view.get(JOBS, namespace_of(job), name_of(job)) is None:
        actions += [Create(JOBS, job), Record(cron_job, "SuccessfulCreate", f"Created job {name_of(job)}")]
    return {**status, "lastScheduleTime": rfc3339(latest)}, actions, again


def _zone(name: str | None) -> tzinfo | None:
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _since(cron_job: Object) -> datetime:
    """After which moment times count."""
    last = path_of(cron_job, "status", "lastScheduleTime") or metadata(cron_job)["creationTimestamp"]
    return parse_time(last)


def _until_next(schedule: Schedule, since: datetime, now: datetime) -> timedelta | None:
    following = schedule.after(since)
    while following is not None and following <= now:
        following = schedule.after(following)
    return None if following is None else following - now


def _job(cron_job: Object, at: datetime, zone: tzinfo) -> Object:
    template = path_of(cron_job, "spec", "jobTemplate", default={})
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.name,
        "metadata": {
            "name": f"{name_of(cron_job)}-{int(at.timestamp()) // 60}",
            "namespace": namespace_of(cron_job),
            "labels": labels_of(template),
            "annotations": {**annotations_of(template), SCHEDULED: _local(at, zone)},
            "ownerReferences": [controller_reference(cron_job)],
        },
        "spec": template.get("spec") or {},
    }


def _local(at: datetime, zone: tzinfo) -> str:
    return rfc3339(at) if zone is UTC else at.astimezone(zone).isoformat(timespec="seconds")


def _history(cron_job: Object, jobs: Sequence[Object]) -> list[Action]:
    """The deletion of finished Jobs beyond the limits, the oldest first."""
    actions: list[Action] = []
    for ending, field, default in (
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ):
        done = [job for job in jobs if _ending(job) == ending and not is_deleting(job)]
        limit = path_of(cron_job, "spec", field, default=default)
        done.sort(key=lambda job: (path_of(job, "status", "startTime", default=""), name_of(job)))
        for job in done[: max(0, len(done) - limit)]:
            actions.append(Delete(JOBS, namespace_of(job), name_of(job), uid_of(job), propagation="Background"))
            actions.append(Record(cron_job, "SuccessfulDelete", f"Deleted job {name_of(job)}"))
    return actions


CONTROLLER = Controller(name="cronjob-controller", reconciles=CRON_JOBS, reconcile=reconcile, owns=(JOBS,))
