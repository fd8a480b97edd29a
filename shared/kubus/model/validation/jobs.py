"""Jobs and cron jobs.

Follows pkg/apis/batch/validation.
"""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kubus.model.errors import FieldError, invalid, not_supported, required
from kubus.model.objects import Object, name_of, path_of
from kubus.model.selectors import LabelSelector
from kubus.model.validation.job_policies import policy_errors
from kubus.model.validation.pod_template import template_errors
from kubus.model.validation.selectors import MISMATCH, label_selector_errors
from kubus.model.validation.values import immutable, not_negative, one_of, required_one_of

FROZEN = (
    "selector",
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
    "podReplacementPolicy",
)
COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
    "ttlSecondsAfterFinished",
)
POLICIES = ("Allow", "Forbid", "Replace")
MACROS = frozenset(("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"))
CRON_NAME_MAX = 52
INDEXES_MAX = 100_000
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_ZONE_PART = re.compile(r"[A-Za-z._0-9+][A-Za-z._0-9+-]{0,13}")
_STEP = re.compile(r"(\*|\?|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)?)(?:/(\d+))?")
_NAMES = {name: index for index, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))} | {
    name: index + 1
    for index, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}


def job_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a job."""
    spec = obj.get("spec") or {}
    errors = job_spec_errors(spec, "spec")
    if spec.get("selector") is None:
        errors.append(required("spec.selector"))
    else:
        errors += label_selector_errors(spec["selector"], "spec.selector")
        labels = path_of(spec, "template", "metadata", "labels")
        if not errors and not LabelSelector.from_object(spec["selector"]).matches(labels):
            errors.append(invalid("spec.template.metadata.labels", labels, MISMATCH))
    return errors + (_job_change_errors(spec, old) if old is not None else [])


def job_spec_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with a job's spec, its selector apart."""
    errors: list[FieldError] = []
    for key in COUNTS:
        errors += not_negative(spec.get(key), f"{path}.{key}")
    mode = spec.get("completionMode")
    errors += one_of(mode, f"{path}.completionMode", ("Indexed", "NonIndexed"))
    if mode == "Indexed" and spec.get("completions") is None:
        errors.append(required(f"{path}.completions", "when completion mode is Indexed"))
    errors += _index_errors(spec, path)
    errors += policy_errors(spec, path)
    errors += template_errors(spec.get("template") or {}, f"{path}.template")
    if path_of(spec, "template", "spec", "restartPolicy") not in ("OnFailure", "Never"):
        detail = 'valid values: "OnFailure", "Never"'
        errors.append(required(f"{path}.template.spec.restartPolicy", detail))
    return errors


def _index_errors(spec: Object, path: str) -> list[FieldError]:
    """What only indexes make sense of, and how many there may be."""
    indexed, errors = spec.get("completionMode") == "Indexed", list[FieldError]()
    per_index, failed = spec.get("backoffLimitPerIndex"), spec.get("maxFailedIndexes")
    for field in ("completions", "parallelism"):
        if indexed and (spec.get(field) or 0) > INDEXES_MAX:
            detail = f"must be less than or equal to {INDEXES_MAX}"
            errors.append(invalid(f"{path}.{field}", spec[field], detail))
    if per_index is not None and not indexed:
        errors.append(invalid(f"{path}.backoffLimitPerIndex", per_index, "requires indexed completion mode"))
    if failed is not None and per_index is None:
        errors.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if failed is not None and indexed and failed > (spec.get("completions") or 0):
        errors.append(invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions"))
    if spec.get("podFailurePolicy") is not None and path_of(spec, "template", "spec", "restartPolicy") != "Never":
        policy = path_of(spec, "template", "spec", "restartPolicy", default="")
        detail = 'only "Never" is supported when podFailurePolicy is specified'
        errors.append(invalid(f"{path}.template.spec.restartPolicy", policy, detail))
    return errors


def _job_change_errors(spec: Object, old: Object) -> list[FieldError]:
    before = old.get("spec") or {}
    errors: list[FieldError] = []
    elastic = (
        spec.get("completionMode") == "Indexed"
        and spec.get("completions") == spec.get("parallelism")
        and before.get("completions") == before.get("parallelism")
    )
    if not elastic:
        errors += immutable(spec.get("completions"), before.get("completions"), "spec.completions")
    for key in FROZEN:
        errors += immutable(spec.get(key), before.get(key), f"spec.{key}")
    new_template, old_template = spec.get("template"), before.get("template")
    if before.get("suspend") and not path_of(old, "status", "startTime"):
        new_template, old_template = _without_directives(new_template), _without_directives(old_template)
    if new_template != old_template:
        errors += immutable(spec.get("template"), before.get("template"), "spec.template")
    return errors


def _without_directives(template: Any) -> Object:
    """A template without what may change while a job waits: where its pods may run, and what labels them."""
    spec = {
        key: value
        for key, value in path_of(template, "spec", default={}).items()
        if key not in ("nodeSelector", "tolerations", "schedulingGates", "affinity")
    }
    meta = {
        key: value
        for key, value in path_of(template, "metadata", default={}).items()
        if key not in ("labels", "annotations")
    }
    return {"metadata": meta, "spec": spec}


def cron_job_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a cron job."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if len(name_of(obj)) > CRON_NAME_MAX:
        errors.append(invalid("metadata.name", name_of(obj), f"must be no more than {CRON_NAME_MAX} characters"))
    schedule = spec.get("schedule") or ""
    if not schedule:
        errors.append(required("spec.schedule"))
    elif schedule.startswith(("TZ=", "CRON_TZ=")):
        detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.append(invalid("spec.schedule", schedule, detail))
    elif problem := schedule_problem(schedule):
        errors.append(invalid("spec.schedule", schedule, problem))
    if old is None or spec.get("timeZone") != path_of(old, "spec", "timeZone"):
        errors += _zone_errors(spec.get("timeZone"), "spec.timeZone")
    errors += not_negative(spec.get("startingDeadlineSeconds"), "spec.startingDeadlineSeconds")
    errors += required_one_of(spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", POLICIES)
    for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        errors += not_negative(spec.get(key), f"spec.{key}")
    template = path_of(spec, "jobTemplate", "spec", default={})
    if template.get("manualSelector"):
        errors.append(not_supported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false")))
    if template.get("selector") is not None:
        detail = "`selector` will be auto-generated"
        errors.append(invalid("spec.jobTemplate.spec.selector", template["selector"], detail))
    return errors + job_spec_errors(template, "spec.jobTemplate.spec")


def _zone_errors(zone: str | None, path: str) -> list[FieldError]:
    if zone is None:
        return []
    if not zone:
        return [invalid(path, zone, "timeZone must be nil or non-empty string")]
    unknown = invalid(path, zone, f"unknown time zone {zone}")
    if any(part in (".", "..") or not _ZONE_PART.fullmatch(part) for part in zone.split("/")):
        return [unknown]
    errors = []
    if zone.lower() == "local":
        detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        errors.append(invalid(path, zone, detail))
    return errors if zone == "Local" or _is_zone(zone) else [*errors, unknown]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def schedule_problem(schedule: str) -> str:
    """What is wrong with a cron schedule, "" if nothing: five fields, or a macro like `@daily`."""
    if schedule.startswith("@"):
        known = schedule in MACROS or re.fullmatch(r"@every (\d+(\.\d+)?(ns|us|ms|s|m|h))+", schedule)
        return "" if known else f"unrecognized descriptor: {schedule}"
    parts = schedule.split()
    if len(parts) != len(FIELDS):
        return f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]"
    for part, (low, high) in zip(parts, FIELDS, strict=True):
        for piece in part.split(","):
            if problem := _piece_problem(piece, low, high):
                return problem
    return ""


def _piece_problem(piece: str, low: int, high: int) -> str:
    found = _STEP.fullmatch(piece)
    if not found:
        return f"failed to parse int from {piece}"
    span, step = found.groups()
    if step == "0":
        return f"step of range should be a positive number: {piece}"
    if span in ("*", "?"):
        return ""
    numbers = []
    for end in span.split("-"):
        number = int(end) if end.isdigit() else _NAMES.get(end.lower())
        if number is None:
            return f'failed to parse int from {end}: strconv.Atoi: parsing "{end}": invalid syntax'
        numbers.append(number)
    if numbers[0] < low:
        return f"beginning of range ({numbers[0]}) below minimum ({low}): {piece}"
    if numbers[-1] > high:
        return f"end of range ({numbers[-1]}) above maximum ({high}): {piece}"
    if numbers[0] > numbers[-1]:
        return f"beginning of range ({numbers[0]}) beyond end of range ({numbers[-1]}): {piece}"
    return ""
