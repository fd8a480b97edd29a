"""CronJobs."""

from __future__ import annotations

from datetime import datetime

from kubus.model.cells import AGE, NAME, NONE, at, count, joined, plain, selector_cell, since
from kubus.model.defaults.pod_spec import set_template_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.jobs import cron_job_errors


def set_defaults(obj: Object) -> None:
    """Runs may overlap; three successes and one failure are kept."""
    spec = obj.setdefault("spec", {})
    spec["concurrencyPolicy"] = spec.get("concurrencyPolicy") or "Allow"
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    set_template_defaults(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))


def _last(obj: Object, now: datetime) -> str:
    time = path_of(obj, "status", "lastScheduleTime")
    return since(time, now) if time else NONE


def _each(obj: Object, key: str) -> str:
    containers = path_of(obj, "spec", "jobTemplate", "spec", "template", "spec", "containers", default=())
    return joined(each.get(key, "") for each in containers)


KIND = Kind(
    group="batch",
    version="v1",
    name="CronJob",
    plural="cronjobs",
    namespaced=True,
    schema="io.k8s.api.batch.v1.CronJob",
    short_names=("cj",),
    categories=("all",),
    status=True,
    generation=True,
    defaults=set_defaults,
    rules=(cron_job_errors,),
    columns=(
        NAME,
        Column("Schedule", at("spec", "schedule"), description="When it runs."),
        Column("Timezone", at("spec", "timeZone", default=NONE), description="Where the schedule holds."),
        Column(
            "Suspend",
            plain(lambda obj: str(bool(path_of(obj, "spec", "suspend")))),
            "boolean",
            description="Whether it rests.",
        ),
        Column("Active", count("status", "active"), "integer", description="Jobs under way."),
        Column("Last Schedule", _last, description="How long ago it ran last."),
        AGE,
        Column("Containers", plain(lambda obj: _each(obj, "name")), priority=1, description="Names of its containers."),
        Column("Images", plain(lambda obj: _each(obj, "image")), priority=1, description="Images of its containers."),
        Column(
            "Selector",
            selector_cell("spec", "jobTemplate", "spec", "selector"),
            priority=1,
            description="Labels of its pods.",
        ),
    ),
)
