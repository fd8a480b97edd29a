"""Jobs."""

from __future__ import annotations

from datetime import datetime

from kubus.model.cells import AGE, CONTAINERS, IMAGES, NAME, SELECTOR, human_duration, plain
from kubus.model.defaults.pod_spec import set_template_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, is_deleting, metadata, path_of
from kubus.model.times import parse_time
from kubus.model.validation.jobs import job_errors

UID_LABELS = ("batch.kubernetes.io/controller-uid", "controller-uid")
NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")
BACKOFF_LIMIT = 6
STATES = ("Complete", "Failed")


def set_defaults(obj: Object) -> None:
    """One completion, one pod at a time, six retries; the labels of the template."""
    spec = obj.setdefault("spec", {})
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 2**31 - 1 if "backoffLimitPerIndex" in spec else BACKOFF_LIMIT)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    _set_labels(obj)
    set_template_defaults(spec)


def _set_labels(obj: Object) -> None:
    labels = path_of(obj, "spec", "template", "metadata", "labels")
    meta = obj.setdefault("metadata", {})
    if labels and not meta.get("labels"):
        meta["labels"] = dict(labels)


def prepare(obj: Object, old: Object | None) -> None:
    """A new job selects its pods by its own uid, unless it brings a selector."""
    spec, meta = obj.get("spec") or {}, metadata(obj)
    if old is not None or spec.get("manualSelector") or not isinstance(spec.get("template"), dict):
        return
    uid = meta.get("uid", "")
    template_meta = spec["template"].setdefault("metadata", {})
    own = dict.fromkeys(UID_LABELS, uid) | dict.fromkeys(NAME_LABELS, meta.get("name", ""))
    template_meta["labels"] = {**own, **(template_meta.get("labels") or {})}
    spec.setdefault("selector", {}).setdefault("matchLabels", {})[UID_LABELS[0]] = uid
    _set_labels(obj)


def _status(obj: Object) -> str:
    true = {
        each.get("type") for each in path_of(obj, "status", "conditions", default=()) if each.get("status") == "True"
    }
    for state in STATES:
        if state in true:
            return state
    if is_deleting(obj):
        return "Terminating"
    return next((state for state in ("Suspended", "FailureTarget") if state in true), "Running")


def _completions(obj: Object) -> str:
    done, wanted = path_of(obj, "status", "succeeded", default=0), path_of(obj, "spec", "completions")
    parallelism = path_of(obj, "spec", "parallelism", default=0)
    if wanted is not None:
        return f"{done}/{wanted}"
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _duration(obj: Object, now: datetime) -> str:
    started, ended = path_of(obj, "status", "startTime"), path_of(obj, "status", "completionTime")
    if not started:
        return ""
    until = parse_time(ended) if ended else now
    return human_duration(int((until - parse_time(started)).total_seconds()))


KIND = Kind(
    group="batch",
    version="v1",
    name="Job",
    plural="jobs",
    namespaced=True,
    schema="io.k8s.api.batch.v1.Job",
    categories=("all",),
    status=True,
    generation=True,
    orphans=True,
    orphans_warning=(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
        "set propagationPolicy=Orphan to suppress this warning"
    ),
    defaults=set_defaults,
    prepare=prepare,
    rules=(job_errors,),
    columns=(
        NAME,
        Column("Status", plain(_status), description="How far it has come."),
        Column("Completions", plain(_completions), description="Pods that succeeded, of those wanted."),
        Column("Duration", _duration, description="How long it took, or has taken so far."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
    fields={"status.successful": lambda obj: str(path_of(obj, "status", "succeeded", default=0))},
)
