"""A pod's conditions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubus_kubelet.conditions import SYNC_FAILED, with_memory, with_sync_error
from kubus_kubelet.states import ContainerSeen, PodSeen, ProbeVerdict
from kubus_kubelet.statuses import pod_status

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 31, 13, tzinfo=UTC)
UP = ContainerSeen(id="app-0", name="app", started_at=NOW)


def pod(status=None, **spec):
    metadata = {"name": "web", "namespace": "default", "uid": "u"}
    return {"metadata": metadata, "spec": {"containers": [{"name": "app"}], **spec}, "status": status or {}}


def conditions(obj, view, now=NOW):
    return {each["type"]: each for each in pod_status(obj, view, now)["conditions"]}


def test_a_ready_pod():
    found = conditions(pod(), PodSeen(prepared=True, containers=(UP,)))
    assert {each: found[each]["status"] for each in found} == dict.fromkeys(
        ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), "True"
    )


def test_unready_containers_are_named():
    verdicts = {"app-0": ProbeVerdict(ready=False)}
    found = conditions(pod(), PodSeen(prepared=True, containers=(UP,), verdicts=verdicts))["Ready"]
    assert (found["status"], found["reason"]) == ("False", "ContainersNotReady")
    assert found["message"] == "containers with unready status: [app]"


def test_init_containers_that_have_not_succeeded_are_named():
    found = conditions(pod(initContainers=[{"name": "i"}]), PodSeen(prepared=True))["Initialized"]
    assert (found["status"], found["reason"]) == ("False", "ContainersNotInitialized")
    assert found["message"] == "containers with incomplete status: [i]"


@pytest.mark.parametrize(("code", "reason"), [(0, "PodCompleted"), (1, "PodFailed")])
def test_a_pod_that_has_ended_is_not_ready(code, reason):
    end = ContainerSeen(id="app-0", name="app", step="exited", exit_code=code, started_at=NOW, finished_at=NOW)
    found = conditions(pod(restartPolicy="Never"), PodSeen(containers=(end,)))
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", reason)


@pytest.mark.parametrize(("gate", "expected"), [(None, "False"), ("False", "False"), ("True", "True")])
def test_readiness_gates_are_others_to_open(gate, expected):
    status = {"conditions": [{"type": "gate", "status": gate}] if gate else []}
    found = conditions(
        pod(status, readinessGates=[{"conditionType": "gate"}]), PodSeen(prepared=True, containers=(UP,))
    )
    assert found["Ready"]["status"] == expected
    assert found["ContainersReady"]["status"] == "True"
    assert ("gate" in found) is (gate is not None)


def test_a_transition_time_is_kept_while_the_status_is():
    view = PodSeen(prepared=True, containers=(UP,))
    status = pod_status(pod(), view, NOW)
    assert conditions(pod(status), view, LATER)["Ready"]["lastTransitionTime"] == "2026-01-31T12:00:00Z"
    down = PodSeen(prepared=True, containers=(UP,), verdicts={"app-0": ProbeVerdict(ready=False)})
    assert conditions(pod(status), down, LATER)["Ready"]["lastTransitionTime"] == "2026-01-31T13:00:00Z"


def test_what_was_decided_stands_before_the_api_has_it_and_what_others_say_is_theirs():
    view = PodSeen(prepared=True, containers=(UP,))
    decided = pod_status(pod(), view, NOW)
    theirs = {"type": "gate", "status": "True"}
    remembered = with_memory(pod({"conditions": [theirs], "qosClass": "Burstable"}), decided)
    status = pod_status(remembered, view, LATER)
    assert status["startTime"] == "2026-01-31T12:00:00Z"
    found = {each["type"]: each for each in status["conditions"]}
    assert found["Ready"]["lastTransitionTime"] == "2026-01-31T12:00:00Z"
    assert found["gate"] == theirs
    assert remembered["status"]["qosClass"] == "Burstable"
    assert with_memory(pod(), None) == pod()


def test_a_failure_of_the_kubelets_own_is_a_condition_and_its_end_clears_it():
    view = PodSeen(prepared=True, containers=(UP,))
    assert SYNC_FAILED not in conditions(pod(), view)
    failed = with_sync_error(pod_status(pod(), view, NOW), "Error syncing pod: a bug", NOW)
    found = next(each for each in failed["conditions"] if each["type"] == SYNC_FAILED)
    assert (found["status"], found["reason"], found["message"]) == ("True", "FailedSync", "Error syncing pod: a bug")
    again = conditions(pod(failed), PodSeen(prepared=True, containers=(UP,), sync_error="Error syncing pod: b"), LATER)
    assert again[SYNC_FAILED] == {**found, "message": "Error syncing pod: b"}
    assert again["Ready"]["status"] == "True"
    cleared = conditions(pod(failed), view, LATER)[SYNC_FAILED]
    assert cleared == {"type": SYNC_FAILED, "status": "False", "lastTransitionTime": "2026-01-31T13:00:00Z"}


def test_a_pod_whose_status_was_never_decided_is_pending_and_failing():
    status = with_sync_error({}, "Error syncing pod: a bug", NOW)
    assert (status["phase"], [each["type"] for each in status["conditions"]]) == ("Pending", [SYNC_FAILED])
