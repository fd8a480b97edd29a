"""Statuses in Kubernetes' words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kubus_kubelet.states import ContainerSeen, Failure, PodSeen, ProbeVerdict
from kubus_kubelet.statuses import pod_status, recalled, terminated

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
APP = {"name": "app", "image": "a:1"}


def pod(*containers, status=None, **spec):
    metadata = {"name": "web", "namespace": "default", "uid": "u"}
    return {"metadata": metadata, "spec": {"containers": list(containers or (APP,)), **spec}, "status": status or {}}


def running(name="app", attempt=0):
    return ContainerSeen(id=f"{name}-{attempt}", name=name, attempt=attempt, started_at=NOW)


def ended(name="app", code=0, attempt=0, streak=0, ago=5, **more):
    finished = NOW - timedelta(seconds=ago)
    times = {"started_at": finished - timedelta(seconds=1), "finished_at": finished}
    return ContainerSeen(
        id=f"{name}-{attempt}",
        name=name,
        attempt=attempt,
        streak=streak,
        step="exited",
        exit_code=code,
        **times,
        **more,
    )


def phase(obj, *containers):
    return pod_status(obj, PodSeen(prepared=True, containers=containers), NOW)["phase"]


TWO = pod(APP, {"name": "b", "image": "b"})
INIT = pod(APP, initContainers=[{"name": "i", "image": "a"}])


@pytest.mark.parametrize(
    ("obj", "containers", "expected"),
    [
        (pod(), (), "Pending"),
        (pod(), (running(),), "Running"),
        (TWO, (running(),), "Pending"),
        (TWO, (running(), running("b")), "Running"),
        (TWO, (running(), ended("b")), "Running"),
        (pod(), (ended(),), "Running"),
        (pod(restartPolicy="OnFailure"), (ended(),), "Succeeded"),
        (pod(restartPolicy="OnFailure"), (ended(code=1),), "Running"),
        (pod(restartPolicy="Never"), (ended(code=1),), "Failed"),
        (pod(restartPolicy="Never"), (ended(),), "Succeeded"),
        (INIT, (running("i"),), "Pending"),
        (INIT, (ended("i", code=1),), "Pending"),
        (INIT, (ended("i"), running()), "Running"),
        ({**INIT, "spec": {**INIT["spec"], "restartPolicy": "Never"}}, (ended("i", code=1),), "Failed"),
        (pod(status={"phase": "Succeeded"}), (), "Succeeded"),
    ],
)
def test_phases(obj, containers, expected):
    assert phase(obj, *containers) == expected


@pytest.mark.parametrize(
    ("policy", "attempts", "phase_shown", "last"),
    [("Always", 1, "Pending", {}), ("Always", 2, "Running", "Error"), ("OnFailure", 2, "Running", "Error")],
)
def test_a_container_is_not_running_before_its_post_start_hook_has_ended(policy, attempts, phase_shown, last):
    containers = (ended(code=1), running(attempt=1))[2 - attempts :]
    containers = containers if attempts == 2 else (running(),)
    hooked = PodSeen(prepared=True, containers=containers, hooks=frozenset({containers[-1].id}))
    status = pod_status(pod(restartPolicy=policy), hooked, NOW)
    shown = status["containerStatuses"][0]
    assert status["phase"] == phase_shown
    assert shown["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert (shown["ready"], shown["started"]) == (False, False)
    assert (shown["lastState"].get("terminated") or {}).get("reason", {}) == last
    after = pod_status(pod(restartPolicy=policy), replace(hooked, hooks=frozenset()), NOW)
    assert (after["phase"], after["containerStatuses"][0]["ready"]) == ("Running", True)


def container(obj, view, now=NOW):
    return pod_status(obj, view, now)["containerStatuses"][0]


def test_a_container_on_its_way_waits():
    assert container(pod(), PodSeen())["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert container(INIT, PodSeen())["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_running_container_has_its_id_and_is_ready_as_its_probes_say():
    view = PodSeen(prepared=True, containers=(running(),))
    found = container(pod(), view)
    assert found["state"] == {"running": {"startedAt": "2026-01-31T12:00:00Z"}}
    assert (found["containerID"], found["ready"], found["started"]) == ("podman://app-0", True, True)
    verdicts = {"app-0": ProbeVerdict(started=True, ready=False)}
    assert not container(pod(), PodSeen(containers=(running(),), verdicts=verdicts))["ready"]


def test_a_crashing_container_waits_with_its_last_end_beside():
    found = container(pod(), PodSeen(prepared=True, containers=(ended(code=1, attempt=2, streak=2),)))
    assert found["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": "back-off 20s restarting failed container=app pod=web_default(u)",
    }
    assert found["lastState"]["terminated"]["exitCode"] == 1
    assert found["restartCount"] == 2


def test_a_restarted_container_shows_how_the_one_before_it_ended():
    found = container(pod(), PodSeen(containers=(ended(code=3), running(attempt=1))))
    assert found["lastState"]["terminated"]["exitCode"] == 3
    assert "running" in found["state"]


@pytest.mark.parametrize(("after", "reason"), [(0, "ErrImagePull"), (3, "ImagePullBackOff")])
def test_a_failed_pull_is_named_first_and_then_its_wait(after, reason):
    failure = Failure("ErrImagePull", "manifest unknown", NOW, NOW + timedelta(seconds=10))
    waiting = container(pod(), PodSeen(failures={"app": failure}), NOW + timedelta(seconds=after))["state"]["waiting"]
    assert waiting["reason"] == reason
    assert "manifest unknown" in waiting["message"]


@pytest.mark.parametrize(("ago", "reason"), [(1, "RunContainerError"), (5, "CrashLoopBackOff")])
def test_a_container_that_does_not_start_says_why_and_then_waits(ago, reason):
    view = PodSeen(containers=(ended(code=128, streak=1, ago=ago, reason="StartError", message="no such file"),))
    found = container(pod(), view)
    assert found["state"]["waiting"]["reason"] == reason
    assert found["lastState"]["terminated"]["reason"] == "StartError"


@pytest.mark.parametrize(
    ("found", "expected"),
    [(ended(), "Completed"), (ended(code=1), "Error"), (ended(code=137, reason="OOMKilled"), "OOMKilled")],
)
def test_reasons_of_an_end(found, expected):
    assert terminated(found)["reason"] == expected


def test_what_the_api_knew_of_an_ended_pod_stays_when_its_containers_are_gone():
    old = {"phase": "Failed", "reason": "Evicted", "message": "m", "containerStatuses": [{"name": "app", "x": 1}]}
    old["containerStatuses"][0].update(state={"terminated": {"exitCode": 1}}, ready=False, lastState={})
    status = pod_status(pod(status=old), PodSeen(), NOW)
    assert (status["phase"], status["reason"], status["containerStatuses"]) == (
        "Failed",
        "Evicted",
        old["containerStatuses"],
    )


def test_containers_that_the_api_knows_and_nobody_finds_have_ended():
    status = pod_status(pod(), PodSeen(prepared=True, containers=(running(attempt=2),)), NOW)
    (found,) = recalled(pod(status=status), [], NOW)
    assert (found.step, found.attempt, found.exit_code, found.reason) == ("exited", 2, 137, "ContainerStatusUnknown")
    assert recalled(pod(status=status), [running()], NOW) == []
    assert recalled(pod(), [], NOW) == []
    never = pod(restartPolicy="Never")
    status = pod_status(never, PodSeen(containers=(ended(code=3),)), NOW)
    (found,) = recalled({**never, "status": status}, [], NOW)
    assert (found.exit_code, found.reason, found.finished_at) == (3, "Error", NOW - timedelta(seconds=5))


@pytest.mark.parametrize(("containers", "bytes_each"), [(1, 12288), (4, 3072), (1000, 12)])
def test_termination_messages_share_twelve_kibibytes(containers, bytes_each):
    names = [f"c{number}" for number in range(containers)]
    whole = pod(*({"name": name, "image": "a"} for name in names), restartPolicy="Never")
    seen = PodSeen(containers=tuple(replace(ended(name=name), message="é" * 10000) for name in names))
    status = pod_status(whole, seen, NOW)
    messages = [each["state"]["terminated"]["message"] for each in status["containerStatuses"]]
    assert {len(message.encode()) for message in messages} == {bytes_each}


def test_addresses_are_the_pods_and_the_nodes():
    status = pod_status(pod(), PodSeen(address="10.0.0.2", node_address="192.168.0.1"), NOW)
    assert (status["podIP"], status["podIPs"]) == ("10.0.0.2", [{"ip": "10.0.0.2"}])
    assert (status["hostIP"], status["hostIPs"]) == ("192.168.0.1", [{"ip": "192.168.0.1"}])
