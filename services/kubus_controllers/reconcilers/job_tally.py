"""How far a Job has come: every pod that ended, counted exactly once.

Pods keep a finalizer until they are counted. A pod that has ended is first noted in `uncountedTerminatedPods` (or, if
it succeeded for an index, in `completedIndexes`); when that is written its finalizer is taken off; and when that has
happened it moves from the notes to the counters. Whatever is interrupted in between goes on from what is written.

Source: KEP-2307 and `trackJobStatusAndRemoveFinalizers` in pkg/controller/job.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from kubus.model.objects import Object, metadata, path_of, uid_of
from kubus_controllers.reconcilers.job_failures import Judged, failures_of_index, is_failed, judged
from kubus_controllers.reconcilers.job_indexes import format_indexes, index_of, parse_indexes
from kubus_controllers.reconcilers.pods_of import phase_of

FINALIZER = "batch.kubernetes.io/job-tracking"


class Tally(NamedTuple):
    """What is to be written, and what follows from it."""

    succeeded: int
    """All that succeeded, noted ones included."""
    failed: int
    completed: frozenset[int]
    failed_indexes: frozenset[int]
    fields: dict[str, Any]
    """Of the status."""
    released: tuple[Object, ...]
    """Pods whose finalizer may go now: what they mean is written."""
    fatal: str
    """Why a rule fails the whole Job, or ""."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing waits to be counted."""
        return not self.fields["uncountedTerminatedPods"] and not self.released


def is_indexed(job: Object) -> bool:
    """Whether each completion has an index."""
    return bool(path_of(job, "spec", "completionMode") == "Indexed")


def is_tracked(pod: Object) -> bool:
    """Whether the pod is still to be counted."""
    return FINALIZER in (metadata(pod).get("finalizers") or ())


def tally(job: Object, pods: Sequence[Object]) -> Tally:
    """The count, given all of the Job's pods."""
    status, completions = job.get("status") or {}, path_of(job, "spec", "completions", default=0)
    indexed, tracked = is_indexed(job), {uid_of(pod): pod for pod in pods if is_tracked(pod)}
    written = parse_indexes(status.get("completedIndexes"), completions)
    noted_good, noted_bad = (path_of(status, "uncountedTerminatedPods", each, default=[]) for each in _NOTES)
    good = [uid for uid in noted_good if uid in tracked]
    bad = [uid for uid in noted_bad if uid in tracked]
    succeeded = status.get("succeeded", 0) + len(noted_good) - len(good)
    failed = status.get("failed", 0) + len(noted_bad) - len(bad)
    completed, released, fatal = set(written), list[Object](), ""
    for uid, pod in tracked.items():
        if phase_of(pod) == "Succeeded":
            index = index_of(pod) if indexed else None
            known = uid in noted_good if not indexed else index is None or index >= completions or index in written
            if known:
                released.append(pod)
            elif index is not None:
                completed.add(index)
            else:
                good.append(uid)
        elif is_failed(job, pod):
            verdict = judged(job, pod)
            fatal = fatal or (verdict.message if verdict.consequence == "FailJob" else "")
            if uid in noted_bad or verdict.consequence == "Ignore":
                released.append(pod)
            else:
                bad.append(uid)
    broken = _failed_indexes(job, tracked.values())
    fields = _fields(job, (good, bad), (succeeded if not indexed else len(completed), failed), completed, broken)
    total = len(completed) if indexed else succeeded + len(good)
    return Tally(total, failed + len(bad), frozenset(completed), broken, fields, tuple(released), fatal)


_NOTES = ("succeeded", "failed")


def _failed_indexes(job: Object, tracked: Iterable[Object]) -> frozenset[int]:
    """The indexes that have failed for good, where each has a limit of its own."""
    limit = path_of(job, "spec", "backoffLimitPerIndex")
    completions = path_of(job, "spec", "completions", default=0)
    if limit is None:
        return frozenset()
    found = set(parse_indexes(path_of(job, "status", "failedIndexes"), completions))
    for pod in tracked:
        index = index_of(pod)
        if index is None or index >= completions or not is_failed(job, pod):
            continue
        if _ends_index(judged(job, pod), failures_of_index(pod), limit):
            found.add(index)
    return frozenset(found)


def _ends_index(verdict: Judged, before: int, limit: int) -> bool:
    return verdict.consequence == "FailIndex" or (verdict.consequence != "Ignore" and before >= limit)


def _fields(
    job: Object,
    noted: tuple[list[str], list[str]],
    counted: tuple[int, int],
    completed: set[int],
    broken: frozenset[int],
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "uncountedTerminatedPods": {n: uids for n, uids in zip(_NOTES, noted, strict=True) if uids}
    }
    fields |= {name: count for name, count in zip(_NOTES, counted, strict=True) if count}
    if is_indexed(job) and completed:
        fields["completedIndexes"] = format_indexes(completed)
    if path_of(job, "spec", "backoffLimitPerIndex") is not None:
        fields["failedIndexes"] = format_indexes(broken)
    return fields
