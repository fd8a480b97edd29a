"""What a failed pod of a Job means: a rule of its podFailurePolicy, one more failure of its index, a pause.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#handling-pod-and-container-failures
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from kubus.model.objects import Object, annotations_of, is_deleting, metadata, name_of, namespace_of, path_of
from kubus.model.times import parse_time
from kubus_controllers.reconcilers.pods_of import condition_of, phase_of

FAILURES = "batch.kubernetes.io/job-index-failure-count"
"""Annotation of a pod: how often its index had failed before it."""
PAUSE = timedelta(seconds=10)
PAUSE_MAX = timedelta(minutes=10)
Consequence = Literal["FailJob", "FailIndex", "Ignore", "Count"]


class Judged(NamedTuple):
    """What a policy makes of a failed pod."""

    consequence: Consequence
    message: str = ""


def is_failed(job: Object, pod: Object) -> bool:
    """Whether a pod counts as failed: it has, or is being deleted (before its start, where only the failed count)."""
    if phase_of(pod) == "Failed":
        return True
    if path_of(job, "spec", "podReplacementPolicy") == "Failed":
        return is_deleting(pod) and phase_of(pod) == "Pending"
    return is_deleting(pod) and phase_of(pod) != "Succeeded"


def judged(job: Object, pod: Object) -> Judged:
    """What the first rule that matches says; without one the failure is counted."""
    if phase_of(pod) != "Failed":
        return Judged("Count")
    for number, rule in enumerate(path_of(job, "spec", "podFailurePolicy", "rules", default=())):
        message = _matched(rule, number, pod)
        if message:
            return Judged(rule.get("action", "Count"), message)
    return Judged("Count")


def _matched(rule: dict[str, Any], number: int, pod: Object) -> str:
    """How a pod matches a rule, or ""."""
    where, action = f"{namespace_of(pod)}/{name_of(pod)}", rule.get("action")
    if codes := rule.get("onExitCodes"):
        for name, code in _exit_codes(pod):
            within = code in (codes.get("values") or ())
            if codes.get("containerName", name) == name and within is (codes.get("operator") == "In"):
                how = f"Container {name} for pod {where} failed with exit code {code}"
                return f"{how} matching {action} rule at index {number}"
        return ""
    for pattern in rule.get("onPodConditions") or ():
        condition = condition_of(pod, pattern.get("type", ""))
        if condition is not None and condition.get("status") == pattern.get("status", "True"):
            return f"Pod {where} has condition {pattern['type']} matching {action} rule at index {number}"
    return ""


def _exit_codes(pod: Object) -> Iterable[tuple[str, int]]:
    """(container, code) of every container that ended with a failure."""
    for field in ("containerStatuses", "initContainerStatuses"):
        for each in path_of(pod, "status", field, default=()):
            code = path_of(each, "state", "terminated", "exitCode", default=0)
            if code:
                yield each["name"], code


def failures_of_index(pod: Object) -> int:
    """How often the pod's index had failed before this pod."""
    text = annotations_of(pod).get(FAILURES, "")
    return int(text) if text.isdigit() else 0


def restarts(pods: Iterable[Object]) -> int:
    """How often containers of these pods were restarted."""
    fields = ("containerStatuses", "initContainerStatuses")
    return sum(
        each.get("restartCount", 0)
        for pod in pods
        for field in fields
        for each in path_of(pod, "status", field, default=())
    )


def finished_at(pod: Object) -> datetime | None:
    """When the last container of a pod ended; where nothing says so, when its deletion or its life began."""
    ends = [
        parse_time(end)
        for field in ("containerStatuses", "initContainerStatuses")
        for each in path_of(pod, "status", field, default=())
        if (end := path_of(each, "state", "terminated", "finishedAt"))
    ]
    if ends:
        return max(ends)
    text = metadata(pod).get("deletionTimestamp") or metadata(pod).get("creationTimestamp")
    return parse_time(text) if text else None


def pause_left(job: Object, pods: Sequence[Object], now: datetime) -> timedelta:
    """How long to wait before the next pod: 10 s after a failure, twice as long after each further one in a row."""
    ends = [(end, phase_of(pod)) for pod in pods if (end := finished_at(pod)) is not None and _has_ended(job, pod)]
    success = max((end for end, phase in ends if phase == "Succeeded"), default=None)
    failures = [end for end, phase in ends if phase != "Succeeded" and (success is None or end > success)]
    if not failures:
        return timedelta(0)
    pause: timedelta = min(PAUSE * 2 ** min(len(failures) - 1, 10), PAUSE_MAX)
    return max(timedelta(0), max(failures) + pause - now)


def _has_ended(job: Object, pod: Object) -> bool:
    return phase_of(pod) == "Succeeded" or (phase_of(pod) == "Failed" and judged(job, pod).consequence != "Ignore")
