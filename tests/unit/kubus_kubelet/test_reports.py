"""As few status writes as tell the truth."""

from __future__ import annotations

import asyncio

import pytest

from kubus.model.errors import StatusError, conflict, unavailable
from kubus.service.logs import Logger
from kubus.testing.clock import SimulatedClock, simulate
from kubus_kubelet.reports import StatusReports, delay_seconds, says_already
from kubus_kubelet.states import Decision

POD = {"metadata": {"name": "web", "namespace": "default", "uid": "u"}, "status": {"phase": "Pending"}}


def status(phase="Pending", reason="ContainerCreating", ready="False"):
    state = {"waiting": {"reason": reason}} if reason else {"running": {}}
    containers = [{"name": "app", "state": state, "lastState": {}}]
    return {"phase": phase, "containerStatuses": containers, "conditions": [{"type": "Ready", "status": ready}]}


RUNNING = status("Running", "", "True")


@pytest.mark.parametrize(
    ("value", "delay"),
    [
        (status(), 1),
        (status(reason="PodInitializing"), 1),
        (status(reason="ErrImagePull"), 0),
        (RUNNING, 0),
        (status("Failed", ""), 0),
    ],
)
def test_only_what_says_on_its_way_waits(value, delay):
    assert delay_seconds(value) == delay


def test_what_others_add_to_a_status_asks_for_no_write():
    scheduler = {"type": "Other", "status": "True"}
    written = {**RUNNING, "qosClass": "Burstable", "conditions": [scheduler, *RUNNING["conditions"]]}
    assert says_already(written, RUNNING)
    assert not says_already(written, status("Running", "", "False"))
    assert not says_already({}, RUNNING)


class Api:
    def __init__(self, *refusals: StatusError) -> None:
        self.written, self.refusals = [], list(refusals)

    async def report(self, pod, value):
        await asyncio.sleep(0.01)
        if self.refusals:
            raise self.refusals.pop(0)
        self.written.append((round(SimulatedClock().monotonic(), 1), value["phase"]))


def reported(api, *steps):
    """What is written when statuses are taken at given seconds."""

    async def story():
        reports = StatusReports(api, SimulatedClock(), Logger("test"))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(reports.run())
            for pause, pod, value in steps:
                await asyncio.sleep(pause)
                reports.take(pod, Decision((), value))
            await asyncio.sleep(10)
            running.cancel()

    simulate(story())
    return api.written


def test_a_pod_that_starts_quickly_is_written_once():
    assert reported(Api(), (0, POD, status()), (0.2, POD, RUNNING)) == [(0.2, "Running")]


def test_a_pod_that_takes_its_time_says_so_after_a_second():
    assert reported(Api(), (0, POD, status()), (3, POD, RUNNING)) == [(1.0, "Pending"), (3.0, "Running")]


def test_what_is_known_already_is_not_written_again():
    assert reported(Api(), (0, POD, RUNNING), (1, POD, RUNNING)) == [(0.0, "Running")]


def test_a_pod_that_is_being_deleted_is_not_written():
    deleting = {**POD, "metadata": {**POD["metadata"], "deletionTimestamp": "2026-01-31T12:00:00Z"}}
    assert reported(Api(), (0, POD, status()), (0.5, deleting, status("Failed", ""))) == []


def test_a_pod_that_somebody_holds_says_how_it_ended():
    meta = {**POD["metadata"], "deletionTimestamp": "2026-01-31T12:00:00Z", "finalizers": ["example.com/counts"]}
    deleting = {**POD, "metadata": meta}
    assert reported(Api(), (0, deleting, RUNNING), (0.5, deleting, status("Failed", ""))) == [(0.5, "Failed")]


def test_an_api_that_is_away_is_asked_again_and_a_refusal_is_final():
    assert reported(Api(unavailable("away")), (0, POD, RUNNING)) == [(1.0, "Running")]
    assert reported(Api(conflict("pods", "", "web")), (0, POD, RUNNING)) == []
