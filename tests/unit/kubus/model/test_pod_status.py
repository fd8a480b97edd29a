"""What the columns of a pod say, state by state."""

from __future__ import annotations

import pytest

from kubus.model.pod_status import summary
from kubus.testing.kinds import NOW


def _status(name, state, *, ready=False, restarts=0, last=None, started=None):
    found = {"name": name, "state": state, "ready": ready, "restartCount": restarts}
    if last:
        found["lastState"] = {"terminated": {"finishedAt": last}}
    if started is not None:
        found["started"] = started
    return found


def _pod(phase="Running", *, statuses=(), init=(), sidecars=(), conditions=(), reason="", deleting=False):
    init_containers = [{"name": each["name"]} for each in init]
    for each in init_containers:
        if each["name"] in sidecars:
            each["restartPolicy"] = "Always"
    return {
        "metadata": {"deletionTimestamp": "2026-01-31T12:00:00Z"} if deleting else {},
        "spec": {"containers": [{"name": each["name"]} for each in statuses], "initContainers": init_containers},
        "status": {
            "phase": phase,
            "reason": reason,
            "conditions": list(conditions),
            "containerStatuses": list(statuses),
            "initContainerStatuses": list(init),
        },
    }


RUNNING = {"running": {}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}
READY = {"type": "Ready", "status": "True"}


def _waiting(reason):
    return {"waiting": {"reason": reason}}


@pytest.mark.parametrize(
    ("pod", "ready", "reason"),
    [
        (_pod("Pending"), "0/0", "Pending"),
        (_pod(statuses=[_status("a", RUNNING, ready=True)]), "1/1", "Running"),
        (_pod(statuses=[_status("a", RUNNING)]), "0/1", "Running"),
        (_pod("Pending", statuses=[_status("a", _waiting("ContainerCreating"))]), "0/1", "ContainerCreating"),
        (_pod(statuses=[_status("a", _waiting("CrashLoopBackOff"), restarts=2)]), "0/1", "CrashLoopBackOff"),
        (_pod("Succeeded", statuses=[_status("a", DONE)]), "0/1", "Completed"),
        (_pod(statuses=[_status("a", {"terminated": {"exitCode": 3}})]), "0/1", "ExitCode:3"),
        (_pod(statuses=[_status("a", {"terminated": {"exitCode": 137, "signal": 9}})]), "0/1", "Signal:9"),
        (_pod("Failed", reason="Evicted"), "0/0", "Evicted"),
        (
            _pod(statuses=[_status("a", _waiting("ErrImagePull")), _status("b", _waiting("CrashLoopBackOff"))]),
            "0/2",
            "ErrImagePull",
        ),
        (
            _pod(statuses=[_status("a", DONE), _status("b", RUNNING, ready=True)], conditions=[READY]),
            "1/2",
            "Running",
        ),
        (_pod(statuses=[_status("a", DONE), _status("b", RUNNING, ready=True)]), "1/2", "NotReady"),
        (_pod("Pending", init=[_status("i", RUNNING)]), "0/0", "Init:0/1"),
        (_pod("Pending", init=[_status("i", DONE), _status("j", RUNNING)]), "0/0", "Init:1/2"),
        (_pod("Pending", init=[_status("i", _waiting("PodInitializing"))]), "0/0", "Init:0/1"),
        (_pod("Pending", init=[_status("i", _waiting("ImagePullBackOff"))]), "0/0", "Init:ImagePullBackOff"),
        (_pod("Pending", init=[_status("i", {"terminated": {"exitCode": 1}})]), "0/0", "Init:ExitCode:1"),
        (_pod("Pending", init=[_status("i", {"terminated": {"exitCode": 1, "reason": "Error"}})]), "0/0", "Init:Error"),
        (
            _pod(
                statuses=[_status("a", RUNNING, ready=True)],
                init=[_status("s", RUNNING, ready=True, started=True)],
                sidecars=("s",),
            ),
            "2/2",
            "Running",
        ),
        (_pod(statuses=[_status("a", RUNNING, ready=True)], deleting=True), "1/1", "Terminating"),
        (_pod("Succeeded", statuses=[_status("a", DONE)], deleting=True), "0/1", "Completed"),
        (_pod(reason="NodeLost", deleting=True), "0/0", "Unknown"),
        (
            _pod("Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
            "0/0",
            "SchedulingGated",
        ),
    ],
)
def test_ready_and_status(pod, ready, reason):
    found = summary(pod)
    assert (f"{found.ready}/{found.total}", found.reason) == (ready, reason)


def test_restarts_are_counted_over_all_containers_with_the_latest_end():
    pod = _pod(
        statuses=[
            _status("a", RUNNING, restarts=2, last="2026-01-31T11:55:00Z"),
            _status("b", RUNNING, restarts=1, last="2026-01-31T11:00:00Z"),
        ]
    )
    assert summary(pod).restarts_text(NOW) == "3 (5m ago)"


def test_restarts_of_finished_init_containers_do_not_count():
    pod = _pod(statuses=[_status("a", RUNNING)], init=[_status("i", DONE, restarts=4, last="2026-01-31T11:00:00Z")])
    assert summary(pod).restarts_text(NOW) == "0"


def test_a_pod_without_anything_has_a_summary():
    assert summary({}) == (0, 0, "", 0, "")
