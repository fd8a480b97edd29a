"""Finished Jobs and their time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubus.machinery.plans import Delete
from kubus.model.kinds.jobs import KIND as JOBS
from kubus.model.times import rfc3339
from kubus.testing.world import START, World
from kubus_controllers.reconcilers.finished_jobs import CONTROLLER


def world(ttl: int | None, *types: str) -> World:
    conditions = [{"type": each, "status": "True", "lastTransitionTime": rfc3339(START)} for each in types]
    spec = {} if ttl is None else {"ttlSecondsAfterFinished": ttl}
    return World(
        (JOBS, {"metadata": {"name": "j", "namespace": "d"}, "spec": spec, "status": {"conditions": conditions}})
    )


@pytest.mark.parametrize("type_", ["Complete", "Failed"])
def test_a_finished_job_goes_with_its_pods_when_its_time_is_over(type_: str) -> None:
    w = world(60, "SuccessCriteriaMet", type_)
    assert w.plan(CONTROLLER, w.list(JOBS)[0]).again_after == timedelta(seconds=60)
    w.now += timedelta(seconds=60)
    (action,) = w.plan(CONTROLLER, w.list(JOBS)[0]).actions
    assert isinstance(action, Delete) and action.propagation == "Foreground"
    w.settle(CONTROLLER)
    assert w.list(JOBS) == []


@pytest.mark.parametrize(("ttl", "types"), [(None, ("Complete",)), (60, ()), (60, ("Suspended", "FailureTarget"))])
def test_others_stay(ttl: int | None, types: tuple[str, ...]) -> None:
    w = world(ttl, *types)
    w.now += timedelta(days=1)
    assert w.plan(CONTROLLER, w.list(JOBS)[0]).actions == ()
