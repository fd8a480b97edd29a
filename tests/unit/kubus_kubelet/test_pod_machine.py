"""What a pod needs next: tables first, then a small world in which every decision is carried out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_kubelet.container_specs import image_hash
from kubus_kubelet.pod_machine import SANDBOX_CHANGED, decide, grace_seconds
from kubus_kubelet.states import (
    ContainerSeen,
    Failure,
    PodSeen,
    PreparePod,
    ProbeVerdict,
    ReleasePod,
    RemoveContainer,
    RemovePod,
    ResumeContainer,
    StartContainer,
    StopContainer,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
APP = {"name": "app", "image": "a:1"}


def pod(*containers, **spec):
    metadata = {"name": "web", "namespace": "default", "uid": "u"}
    return {"metadata": metadata, "spec": {"containers": list(containers or (APP,)), **spec}, "status": {}}


def deleting(obj, grace=5):
    times = {"deletionTimestamp": "2026-01-31T12:00:00Z", "deletionGracePeriodSeconds": grace}
    return {**obj, "metadata": {**obj["metadata"], **times}}


def running(name="app", attempt=0, **more):
    return ContainerSeen(id=f"{name}-{attempt}", name=name, attempt=attempt, started_at=NOW, **more)


def ended(name="app", attempt=0, code=0, streak=0, ago=0):
    return ContainerSeen(
        id=f"{name}-{attempt}",
        name=name,
        attempt=attempt,
        streak=streak,
        step="exited",
        exit_code=code,
        started_at=NOW - timedelta(seconds=ago + 1),
        finished_at=NOW - timedelta(seconds=ago),
    )


def seen(*containers, **more):
    return PodSeen(prepared=True, address="10.0.0.2", containers=containers, **more)


INIT = pod(APP, initContainers=[{"name": "one", "image": "a"}, {"name": "two", "image": "a"}])
SIDECAR = pod(APP, initContainers=[{"name": "side", "image": "a", "restartPolicy": "Always"}])
DEBUG = pod(APP, ephemeralContainers=[{"name": "debug", "image": "a", "targetContainerName": "app"}])
TWO = pod(APP, {"name": "other", "image": "b"})

HOOKED = {**APP, "lifecycle": {"postStart": {"exec": {"command": ["true"]}}}}
AFTER_HOOK = pod(HOOKED, {"name": "other", "image": "b"})

TABLE = [
    ("a container with a postStart hook starts alone", AFTER_HOOK, seen(), [StartContainer("app", 0, 0)]),
    ("the next waits for the hook", AFTER_HOOK, seen(running(), busy=frozenset({"app"})), []),
    ("and follows it", AFTER_HOOK, seen(running()), [StartContainer("other", 0, 0)]),
    (
        "what runs already is looked after meanwhile",
        AFTER_HOOK,
        seen(running(), ended("other", code=1), busy=frozenset({"app"})),
        [StartContainer("other", 1, 1)],
    ),
    (
        "one whose image is not there holds nothing up",
        AFTER_HOOK,
        seen(failures={"app": Failure("ErrImagePull", "no", NOW, NOW + timedelta(seconds=9))}),
        [StartContainer("other", 0, 0)],
    ),
    ("a new pod is prepared first", pod(), PodSeen(), [PreparePod()]),
    ("what runs in a sandbox that stands is left alone while the rest is made", pod(),
     PodSeen(address="10.0.0.2", containers=(running(),)), [PreparePod()]),
    ("what runs in a sandbox that is gone is ended first", pod(), PodSeen(containers=(running(),)),
     [StopContainer("app-0", "app", 30, SANDBOX_CHANGED, hook=False)]),
    ("a pod that ended while it was made gives its address back", pod(restartPolicy="Never"),
     PodSeen(address="10.0.0.2", containers=(ended(code=1),)), [ReleasePod()]),
    ("preparation is not asked for twice", pod(), PodSeen(busy=frozenset({""})), []),
    ("a prepared pod starts its container", pod(), seen(), [StartContainer("app", 0, 0)]),
    ("all containers start together", TWO, seen(), [StartContainer("app", 0, 0), StartContainer("other", 0, 0)]),
    ("one that is being started is left alone", TWO, seen(busy=frozenset({"app"})), [StartContainer("other", 0, 0)]),
    ("what runs is left alone", pod(), seen(running()), []),
    ("a created one is started", pod(), seen(running(step="created")), [ResumeContainer("app-0", "app")]),
    ("the first restart is at once", pod(), seen(ended(code=1)), [StartContainer("app", 1, 1)]),
    ("the second waits", pod(), seen(ended(attempt=1, streak=1, ago=9)), []),
    ("and comes", pod(), seen(ended(attempt=1, streak=1, ago=10)), [StartContainer("app", 2, 2)]),
    ("Never means never", pod(restartPolicy="Never"), seen(ended(code=1)), [ReleasePod()]),
    ("OnFailure spares success", pod(restartPolicy="OnFailure"), seen(ended()), [ReleasePod()]),
    ("OnFailure restarts", pod(restartPolicy="OnFailure"), seen(ended(code=2)), [StartContainer("app", 1, 1)]),
    ("the first init container is alone", INIT, seen(), [StartContainer("one", 0, 0)]),
    ("the second waits for the first", INIT, seen(running("one")), []),
    ("and follows it", INIT, seen(ended("one")), [StartContainer("two", 0, 0)]),
    ("init containers are tried again", INIT, seen(ended("one", code=1)), [StartContainer("one", 1, 1)]),
    ("then the others", INIT, seen(ended("one"), ended("two")), [StartContainer("app", 0, 0)]),
    ("init containers do not run again", INIT, seen(running()), []),
    ("a sidecar comes first", SIDECAR, seen(), [StartContainer("side", 0, 0)]),
    ("and stays", SIDECAR, seen(running("side")), [StartContainer("app", 0, 0)]),
    ("and is restarted", SIDECAR, seen(ended("side"), running()), [StartContainer("side", 1, 1)]),
    ("an ephemeral container joins", DEBUG, seen(running()), [StartContainer("debug", 0, 0)]),
    ("and runs once", DEBUG, seen(running(), ended("debug", code=1)), []),
    ("the last two attempts are kept", pod(), seen(*(ended(attempt=n) for n in (0, 1)), running(attempt=2)),
     [RemoveContainer("app-0", "app")]),
    ("a deleted pod stops what runs", deleting(pod()), seen(running()),
     [StopContainer("app-0", "app", 5, "Stopping container app")]),
    ("and waits for it", deleting(pod()), seen(running(), busy=frozenset({"app"})), []),
    ("and goes when nothing runs", deleting(pod()), seen(ended()), [RemovePod()]),
    ("a deleted pod that never began goes", deleting(pod()), PodSeen(), [RemovePod()]),
    ("a pod the API forgot goes too", pod(), seen(gone=True), [RemovePod()]),
    ("sidecars are stopped last", deleting(SIDECAR), seen(running("side"), running()),
     [StopContainer("app-0", "app", 5, "Stopping container app")]),
    ("when the others have ended", deleting(SIDECAR), seen(running("side"), ended()),
     [StopContainer("side-0", "side", 5, "Stopping container side")]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "obj", "view", "expected"), TABLE, ids=[each[0] for each in TABLE])
def test_actions(why, obj, view, expected):
    assert list(decide(obj, view, NOW).actions) == expected


def test_containers_whose_sandbox_is_gone_are_stopped_before_another_is_made():
    view = PodSeen(containers=(running(),))
    (action,) = decide(pod(), view, NOW).actions
    assert (action.id, action.message) == ("app-0", "Pod sandbox changed, it will be killed and re-created.")
    assert decide(pod(), PodSeen(containers=(ended(),)), NOW).actions == (PreparePod(),)


def test_a_wait_says_when_to_look_again():
    decision = decide(pod(), seen(ended(attempt=1, streak=2, ago=5)), NOW)
    assert decision.actions == ()
    assert decision.again_at == NOW + timedelta(seconds=15)
    failure = Failure("ErrImagePull", "no", NOW - timedelta(seconds=3), NOW + timedelta(seconds=7))
    decision = decide(pod(), seen(failures={"app": failure}), NOW)
    assert (decision.actions, decision.again_at) == ((), NOW + timedelta(seconds=7))
    assert decide(pod(), seen(failures={"app": failure}), failure.retry_at).actions == (StartContainer("app", 0, 0),)


def test_a_failed_liveness_probe_stops_the_container():
    view = seen(running(), verdicts={"app-0": ProbeVerdict(failed="liveness probe")})
    message = "Container app failed liveness probe, will be restarted"
    assert decide(pod(), view, NOW).actions == (StopContainer("app-0", "app", 30, message),)


def test_a_new_image_replaces_the_container():
    view = seen(running(image_hash=image_hash(APP)))
    assert decide(pod(), view, NOW).actions == ()
    (action,) = decide(pod({**APP, "image": "a:2"}), view, NOW).actions
    assert action.message == "Container app definition changed, will be restarted"


def test_a_pod_past_its_deadline_is_stopped():
    obj = {**pod(activeDeadlineSeconds=10), "status": {"startTime": "2026-01-31T12:00:00Z"}}
    decision = decide(obj, seen(running()), NOW)
    assert (decision.actions, decision.again_at) == ((), NOW + timedelta(seconds=10))
    decision = decide(obj, seen(running()), NOW + timedelta(seconds=10))
    assert decision.status["reason"] == "DeadlineExceeded"
    assert isinstance(decision.actions[0], StopContainer)


def test_the_grace_period_is_the_deletions_then_the_pods_then_thirty_seconds():
    assert [grace_seconds(each) for each in (deleting(pod()), pod(terminationGracePeriodSeconds=9), pod())] == [
        5,
        9,
        30,
    ]


class World:
    """Carries decisions out as a node would, each in an instant."""

    def __init__(self, obj, exits):
        self.pod, self.exits, self.seen, self.now = obj, exits, PodSeen(), NOW
        self.starts, self.removed = [], False

    def turn(self):
        decision = decide(self.pod, self.seen, self.now)
        assert len({getattr(each, "name", "") for each in decision.actions}) == len(decision.actions)
        for action in decision.actions:
            self.carry_out(action)
        self.pod = {**self.pod, "status": decision.status}
        self.check(decision.status)
        return decision

    def carry_out(self, action):
        match action:
            case PreparePod():
                self.seen = replace(self.seen, prepared=True, address="10.0.0.2")
            case StartContainer(name, attempt, streak):
                self.starts.append((name, attempt))
                self.put(ContainerSeen(f"{name}-{attempt}", name, attempt, streak, started_at=self.now))
            case StopContainer(id=container):
                self.end(container, 137)
            case RemoveContainer(id=container):
                self.seen = replace(self.seen, containers=tuple(e for e in self.seen.containers if e.id != container))
            case ReleasePod():
                self.seen = replace(self.seen, prepared=False, address="")
            case RemovePod():
                assert not [each for each in self.seen.containers if each.step == "running"]
                self.removed = True

    def put(self, found):
        others = tuple(each for each in self.seen.containers if each.id != found.id)
        self.seen = replace(self.seen, containers=(*others, found))

    def end(self, container, code):
        found = next(each for each in self.seen.containers if each.id == container)
        self.put(replace(found, step="exited", exit_code=code, finished_at=self.now))

    def check(self, status):
        alive = [each.name for each in self.seen.containers if each.step == "running"]
        assert len(alive) == len(set(alive)), "one attempt at a time"
        assert len(self.starts) == len(set(self.starts)), "no attempt is made twice"
        for each in status["containerStatuses"]:
            assert not each["ready"] or "running" in each["state"]


@settings(max_examples=60)
@given(
    policy=st.sampled_from(["Always", "OnFailure", "Never"]),
    codes=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    inits=st.integers(0, 2),
    sidecar=st.booleans(),
    delete_at=st.integers(1, 30),
)
def test_whatever_containers_do_a_deleted_pod_goes_and_nothing_runs_twice(policy, codes, inits, sidecar, delete_at):
    init = [{"name": f"init-{number}", "image": "a"} for number in range(inits)]
    if sidecar:
        init.append({"name": "side", "image": "a", "restartPolicy": "Always"})
    world = World(pod(APP, {"name": "b", "image": "b"}, initContainers=init, restartPolicy=policy), codes)
    for step in range(60):
        if step == delete_at:
            world.pod = deleting(world.pod)
        world.turn()
        if world.removed:
            return
        alive = [each for each in world.seen.containers if each.step == "running" and each.name != "side"]
        if alive and step % 2:
            world.end(alive[step % len(alive)].id, codes[step % len(codes)])
        world.now += timedelta(seconds=7)
    raise AssertionError("the pod is still there")


@settings(max_examples=30)
@given(codes=st.lists(st.integers(0, 2), min_size=1, max_size=6))
def test_a_pod_that_has_ended_stays_ended(codes):
    world = World(pod(restartPolicy="Never"), codes)
    world.turn()
    for code in codes:
        world.turn()
        for each in world.seen.containers:
            if each.step == "running":
                world.end(each.id, code)
        world.turn()
        assert world.pod["status"]["phase"] == ("Failed" if codes[0] else "Succeeded")
        world.now += timedelta(hours=1)
    assert world.starts == [("app", 0)]
    assert decide(world.pod, world.seen, world.now).actions == ()
