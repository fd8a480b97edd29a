"""Whether a Job is over: it has failed, or succeeded; and why.

A verdict stands once it is written, as the condition FailureTarget or SuccessCriteriaMet; it becomes Failed or Complete
when the last pod has gone.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from kubus.model.objects import Object, path_of
from kubus.model.times import parse_time
from kubus_controllers.reconcilers.job_failures import restarts
from kubus_controllers.reconcilers.job_indexes import parse_indexes
from kubus_controllers.reconcilers.job_tally import Tally, is_indexed
from kubus_controllers.reconcilers.pods_of import condition_of


class Verdict(NamedTuple):
    """How a Job ends."""

    good: bool
    reason: str
    message: str

    @property
    def interim(self) -> str:
        """The condition as long as pods are left."""
        return "SuccessCriteriaMet" if self.good else "FailureTarget"

    @property
    def final(self) -> str:
        """The condition in the end."""
        return "Complete" if self.good else "Failed"


def is_over(job: Object) -> bool:
    """Whether the Job has its last condition."""
    return any((condition_of(job, each) or {}).get("status") == "True" for each in ("Complete", "Failed"))


def is_suspended(job: Object) -> bool:
    """Whether the Job is to rest."""
    return bool(path_of(job, "spec", "suspend", default=False))


def verdict(job: Object, tally: Tally, active: Sequence[Object], now: datetime) -> Verdict | None:
    """How the Job ends; None if it goes on."""
    for interim, good in (("FailureTarget", False), ("SuccessCriteriaMet", True)):
        written = condition_of(job, interim)
        if written is not None and written.get("status") == "True":
            return Verdict(good, written.get("reason", ""), written.get("message", ""))
    return _failure(job, tally, active, now) or _success(job, tally, active)


def _failure(job: Object, tally: Tally, active: Sequence[Object], now: datetime) -> Verdict | None:
    limit = path_of(job, "spec", "backoffLimit", default=6)
    if tally.fatal:
        return Verdict(False, "PodFailurePolicy", tally.fatal)
    if tally.failed > limit or _restarted_too_often(job, active, limit):
        return Verdict(False, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    left = deadline_left(job, now)
    if left is not None and left <= timedelta(0):
        return Verdict(False, "DeadlineExceeded", "Job was active longer than specified deadline")
    if path_of(job, "spec", "backoffLimitPerIndex") is None or not tally.failed_indexes:
        return None
    most = path_of(job, "spec", "maxFailedIndexes")
    if most is not None and len(tally.failed_indexes) > most:
        words = "Job has exceeded the specified maximal number of failed indexes"
        return Verdict(False, "MaxFailedIndexesExceeded", words)
    if len(tally.failed_indexes | tally.completed) >= path_of(job, "spec", "completions", default=0):
        return Verdict(False, "FailedIndexes", "Job has failed indexes")
    return None


def _restarted_too_often(job: Object, active: Sequence[Object], limit: int) -> bool:
    if path_of(job, "spec", "template", "spec", "restartPolicy") != "OnFailure":
        return False
    count = restarts(active)
    return count > 0 if limit == 0 else count >= limit


def deadline_left(job: Object, now: datetime) -> timedelta | None:
    """How long the Job may still be active; None if for ever."""
    seconds, started = path_of(job, "spec", "activeDeadlineSeconds"), path_of(job, "status", "startTime")
    if seconds is None or not started or is_suspended(job):
        return None
    return parse_time(started) + timedelta(seconds=seconds) - now


def _success(job: Object, tally: Tally, active: Sequence[Object]) -> Verdict | None:
    completions = path_of(job, "spec", "completions")
    if is_indexed(job):
        for number, rule in enumerate(path_of(job, "spec", "successPolicy", "rules", default=())):
            if _is_met(rule, tally.completed, completions or 0):
                return Verdict(True, "SuccessPolicy", f"Matched rules at index {number}")
    done = tally.succeeded > 0 and not active if completions is None else tally.succeeded >= completions
    words = "Reached expected number of succeeded pods"
    return Verdict(True, "CompletionsReached", words) if done else None


def _is_met(rule: Object, completed: frozenset[int], completions: int) -> bool:
    """Whether enough of the indexes that a rule names are complete; all of them, where it gives no number."""
    named = rule.get("succeededIndexes")
    wanted = parse_indexes(named, completions) if named is not None else frozenset(range(completions))
    count = rule.get("succeededCount")
    return bool(wanted) and len(completed & wanted) >= (len(wanted) if count is None else count)
