"""Finished Jobs go when their time is over: `ttlSecondsAfterFinished`.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kubus.machinery.plans import CONVERGED, Controller, Delete, Plan, View
from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.objects import Object, is_deleting, name_of, namespace_of, path_of, uid_of
from kubus.model.times import parse_time
from kubus_controllers.reconcilers.pods_of import condition_of


def reconcile(job: Object, view: View, now: datetime) -> Plan:
    """The end of a Job, or when it is due."""
    seconds = path_of(job, "spec", "ttlSecondsAfterFinished")
    ends = [condition_of(job, each) or {} for each in ("Complete", "Failed")]
    finished = next((each["lastTransitionTime"] for each in ends if each.get("status") == "True"), None)
    if seconds is None or finished is None or is_deleting(job):
        return CONVERGED
    left = parse_time(finished) + timedelta(seconds=seconds) - now
    if left > timedelta(0):
        return Plan(again_after=left)
    return Plan((Delete(JOBS, namespace_of(job), name_of(job), uid_of(job), propagation="Foreground"),))


CONTROLLER = Controller(name="ttl-after-finished-controller", reconciles=JOBS, reconcile=reconcile)
