"""Job: pods that run to their end, as many and as often as it takes.

What has been done is counted by `job_tally`, whether it is enough or too much is said by `job_verdicts`, which pods
come and go by `job_pods`; here it becomes a plan. A suspended Job has no active pods and starts anew when it is
resumed. When the Job is over its pods stay, without their finalizer, until somebody deletes them or it.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from kubus.machinery.plans import (
    CONVERGED,
    Action,
    Controller,
    Create,
    Delete,
    Plan,
    Record,
    SetStatus,
    View,
    Watch,
)
from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import (
    Key,
    Object,
    controller_of,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    uid_of,
)
from kubus.model.times import rfc3339
from kubus_controllers.reconcilers.adoption import (
    ORPHANS,
    adopt,
    adopters,
    marked,
    orphans,
    release,
    selector_of,
)
from kubus_controllers.reconcilers.conditions import Said, with_condition
from kubus_controllers.reconcilers.job_failures import pause_left
from kubus_controllers.reconcilers.job_pods import new_indexed_pods, new_pods, surplus
from kubus_controllers.reconcilers.job_tally import FINALIZER, Tally, is_indexed, is_tracked, tally
from kubus_controllers.reconcilers.job_verdicts import Verdict, deadline_left, is_over, is_suspended, verdict
from kubus_controllers.reconcilers.pods_of import (
    condition_of,
    is_active,
    is_controlled_by,
    is_finished,
    is_ready,
    soonest,
)

MANAGER = "kubernetes.io/job-controller"
BURST = 500


def reconcile(either: Object, view: View, now: datetime) -> Plan:
    """A Job's next step; or, of a pod, whether nobody will count it any more."""
    if either["kind"] == PODS.name:
        return _left_behind(either, view)
    if path_of(either, "spec", "managedBy", default=MANAGER) != MANAGER:
        return CONVERGED
    return _next_step(either, view, now)


class _Change(NamedTuple):
    """Pods that come and go."""

    actions: tuple[Action, ...] = ()
    created: int = 0
    deleted: int = 0
    again_after: timedelta | None = None


def _next_step(job: Object, view: View, now: datetime) -> Plan:
    pods, owning = _pods(job, view)
    if is_over(job):
        return Plan((*owning, *_release(pod for pod in pods if is_tracked(pod))))
    count = tally(job, pods)
    active = [pod for pod in pods if is_active(pod)]
    terminating = sum(is_deleting(pod) and not is_finished(pod) for pod in pods)
    ends = verdict(job, count, active, now)
    if is_deleting(job):
        change = _Change()
    elif ends is not None or is_suspended(job):
        change = _delete(job, active)
    else:
        change = _fill(job, pods, active, count, terminating=terminating, now=now)
    left = active if not change.deleted else []
    gone = ends is not None and not left and not terminating and not change.deleted
    status = _status(job, count, now, ends, final=gone and count.is_settled)
    status |= _numbers(active, change, terminating)
    actions = [*owning, *_release(count.released), *change.actions]
    if status != job.get("status"):
        actions += [SetStatus(JOBS, {**job, "status": status}), *_events(job, status)]
    return Plan(tuple(actions), again_after=soonest((change.again_after, deadline_left(job, now))))


def _pods(job: Object, view: View) -> tuple[list[Object], list[Action]]:
    """The Job's pods, and what is to be done so that they all are."""
    selector = selector_of(job)
    owned = [pod for pod in view.owned(PODS, uid_of(job)) if is_controlled_by(pod, uid_of(job))]
    mine = [pod for pod in owned if selector.matches(labels_of(pod))]
    strays = [pod for pod in owned if not selector.matches(labels_of(pod))]
    actions: list[Action] = [release(job, pod, finalizers=_other_finalizers(pod) or None) for pod in strays]
    found = [pod for pod in orphans(job, view, selector) if is_active(pod)]
    actions += [adopt(JOBS, job, pod, finalizers=[*_other_finalizers(pod), FINALIZER]) for pod in found]
    mine += found
    return sorted(mine, key=name_of), actions


def _other_finalizers(pod: Object) -> list[str]:
    return [each for each in metadata(pod).get("finalizers") or () if each != FINALIZER]


def _release(pods: Iterable[Object]) -> list[Action]:
    """Take the finalizer off."""
    return [marked(pod, finalizers=_other_finalizers(pod) or None) for pod in pods]


def _delete(job: Object, pods: Sequence[Object]) -> _Change:
    actions: list[Action] = []
    for pod in pods:
        actions.append(Delete(PODS, namespace_of(pod), name_of(pod), uid_of(pod)))
        actions.append(Record(job, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}"))
    return _Change(tuple(actions), deleted=len(pods))


def _fill(
    job: Object, pods: Sequence[Object], active: Sequence[Object], count: Tally, *, terminating: int, now: datetime
) -> _Change:
    """Pods up to the parallelism, as far as there is something left to do."""
    parallelism = path_of(job, "spec", "parallelism", default=1)
    completions = path_of(job, "spec", "completions")
    if completions is None:
        wanted = len(active) if count.succeeded else parallelism
    else:
        wanted = min(parallelism, completions - count.succeeded - len(count.failed_indexes))
    done, indexed = count.completed | count.failed_indexes, is_indexed(job)
    extra = surplus(active, max(wanted, 0), indexed=indexed, done=done, below=completions or 0)
    if extra:
        return _delete(job, extra[:BURST])
    late = path_of(job, "spec", "podReplacementPolicy") == "Failed"
    missing = min(wanted - len(active) - (terminating if late else 0), BURST)
    if missing <= 0:
        return _Change()
    each_waits = path_of(job, "spec", "backoffLimitPerIndex") is not None
    pause = timedelta(0) if each_waits else pause_left(job, pods, now)
    if pause > timedelta(0):
        return _Change(again_after=pause)
    waits = None
    if indexed:
        busy = [pod for pod in pods if is_active(pod) or (late and is_deleting(pod) and not is_finished(pod))]
        made, waits = new_indexed_pods(job, pods, busy, count, count=missing, now=now)
    else:
        made = new_pods(job, pods, missing)
    actions: list[Action] = []
    for pod in made:
        actions += [Create(PODS, pod), Record(job, "SuccessfulCreate", f"Created pod: {name_of(pod)}")]
    return _Change(tuple(actions), created=len(made), again_after=waits)


def _numbers(active: Sequence[Object], change: _Change, terminating: int) -> Object:
    """How many pods there are after a change."""
    going = {action.name for action in change.actions if isinstance(action, Delete)}
    staying = [pod for pod in active if name_of(pod) not in going]
    numbers = {"ready": sum(map(is_ready, staying)), "terminating": terminating + change.deleted}
    running = len(staying) + change.created
    return {**numbers, "active": running} if running else numbers


def _status(job: Object, count: Tally, now: datetime, ends: Verdict | None, *, final: bool) -> Object:
    old = job.get("status") or {}
    kept = {name: old[name] for name in ("startTime", "completionTime", "conditions") if old.get(name)}
    status: Object = {**kept, **count.fields}
    suspended, conditions = is_suspended(job), list(old.get("conditions") or ())
    resting = condition_of(job, "Suspended")
    if ends is None and suspended:
        said = Said("True", "JobSuspended", "Job suspended")
        conditions = with_condition(conditions, type_="Suspended", said=said, now=now)
    elif ends is None and resting is not None and resting.get("status") == "True":
        said = Said("False", "JobResumed", "Job resumed")
        conditions = with_condition(conditions, type_="Suspended", said=said, now=now)
        status["startTime"] = rfc3339(now)
    if not suspended:
        status.setdefault("startTime", rfc3339(now))
    if ends is not None:
        said = Said("True", ends.reason, ends.message)
        for type_ in (ends.interim, ends.final) if final else (ends.interim,):
            conditions = with_condition(conditions, type_=type_, said=said, now=now)
        if final and ends.good:
            status["completionTime"] = rfc3339(now)
    if conditions:
        status["conditions"] = [{"lastProbeTime": each["lastTransitionTime"], **each} for each in conditions]
    return status


def _events(job: Object, status: Object) -> Iterable[Record]:
    """What is new among the conditions."""
    after = {**job, "status": status}
    for type_, reason, kind in (("Complete", "Completed", "Normal"), ("Failed", "", "Warning")):
        condition = condition_of(after, type_)
        if condition is not None and condition_of(job, type_) is None:
            message = "Job completed" if type_ == "Complete" else condition["message"]
            yield Record(job, reason or condition["reason"], message, "Normal" if kind == "Normal" else "Warning")
    before, now = condition_of(job, "Suspended"), condition_of(after, "Suspended")
    if now is not None and (before or {}).get("status", "False") != now["status"]:
        suspended = now["status"] == "True"
        yield Record(job, "Suspended" if suspended else "Resumed", now["message"])


def _left_behind(pod: Object, view: View) -> Plan:
    """A pod whose Job is gone, or which has none any more, is counted by nobody."""
    owner = controller_of(pod)
    if not is_tracked(pod):
        return CONVERGED
    job = view.get(JOBS, namespace_of(pod), owner.get("name", "")) if owner else None
    if owner is not None and (owner.get("kind") != JOBS.name or (job and uid_of(job) == owner.get("uid"))):
        return CONVERGED
    return Plan(tuple(_release([pod])))


def _wakes(pod: Object, view: View) -> list[Key]:
    """The Jobs that may want a pod without a controller; the pod itself if it is to be counted and has no Job."""
    here = Key(PODS.collection, namespace_of(pod), name_of(pod))
    owner = controller_of(pod)
    if owner is not None:
        lost = owner.get("kind") == JOBS.name and is_tracked(pod)
        return [here] if lost and view.get(JOBS, namespace_of(pod), owner.get("name", "")) is None else []
    keys = adopters(JOBS, selector_of, pod, view)
    return [*keys, here] if is_tracked(pod) else keys


def _pods_left(job: Object, view: View) -> list[Key]:
    """The pods of a Job that is gone."""
    here = view.get(JOBS, namespace_of(job), name_of(job))
    if here is not None and uid_of(here) == uid_of(job):
        return []
    return [Key(PODS.collection, namespace_of(pod), name_of(pod)) for pod in view.owned(PODS, uid_of(job))]


CONTROLLER = Controller(
    name="job-controller",
    reconciles=JOBS,
    reconcile=reconcile,
    owns=(PODS,),
    watches=(Watch(PODS, _wakes), Watch(JOBS, _pods_left)),
    indexes=(ORPHANS,),
)
