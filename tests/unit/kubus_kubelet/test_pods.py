"""All pods of a node, over fakes in simulated time: the audit, adoption, and pods that make no sense."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest
from tests.simulation.parts import FakePodman, fake_tools

from kubus.testing.clock import SimulatedClock, simulate
from kubus_kubelet.pod_machine import SANDBOX_CHANGED
from kubus_kubelet.pods import AUDIT_SECONDS, Pods

APP = {"name": "app", "image": "a:1"}
NAME_ITEM = {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}


def pod(uid="u", **spec):
    metadata = {"name": f"pod-{uid}", "namespace": "d", "uid": uid}
    return {"metadata": metadata, "spec": {"containers": [APP], "terminationGracePeriodSeconds": 1, **spec}}


class Node:
    """One run of the real `Pods`; the machine under it outlives it."""

    def __init__(self, tmp_path):
        self.podman = FakePodman(SimulatedClock())
        self.tools = fake_tools(tmp_path, self.podman.clock, podman=self.podman)
        self.statuses = {}
        self.reports = []
        self.failing = set()

    def report(self, pod, decision):
        uid = pod["metadata"]["uid"]
        if uid in self.failing:
            raise RuntimeError("the report is broken")
        self.statuses[uid] = decision.status
        self.reports.append((uid, decision.status["phase"]))

    @asynccontextmanager
    async def running(self):
        self.pods = Pods(self.tools, self.report)
        async with asyncio.TaskGroup() as tasks:
            run = tasks.create_task(self.pods.run())
            await self.pods.adopted()
            yield self.pods
            run.cancel()

    def processes(self):
        return sorted(self.podman.containers_by_id[each].spec["name"] for each in self.podman.processes)

    def restarts(self, uid="u"):
        return self.statuses[uid]["containerStatuses"][0]["restartCount"]

    def condition(self, kind, uid="u"):
        return {each["type"]: each for each in self.statuses[uid]["conditions"]}.get(kind)

    def reasons(self):
        return [reason for _, reason, _ in self.tools.api.events]


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


@pytest.mark.parametrize("policy", ["Always", "Never"])
def test_a_container_that_started_while_podman_was_listing_is_not_lost(node, policy):
    async def story():
        async with node.running() as pods:
            node.podman.list_seconds = 3.0
            await asyncio.sleep(AUDIT_SECONDS + 1)  # in the midst of the first list
            pods.changed(pod(restartPolicy=policy))
            await asyncio.sleep(3 * AUDIT_SECONDS)
            assert node.podman.starts == ["app-u-0"]
            assert node.processes() == ["app-u-0"]
            assert (node.statuses["u"]["phase"], node.restarts()) == ("Running", 0)

    simulate(story())


def test_a_container_that_ended_while_podman_was_listing_keeps_its_exit_code(node):
    async def story():
        async with node.running() as pods:
            pods.changed(pod(restartPolicy="Never"))
            await asyncio.sleep(AUDIT_SECONDS - 0.005)
            (container,) = node.podman.containers_by_id
            node.podman.end(container, 0)
            node.podman.forget(container)
            await asyncio.sleep(AUDIT_SECONDS)
            assert node.statuses["u"]["phase"] == "Succeeded"

    simulate(story())


def test_a_container_that_podman_lost_is_ended_before_it_starts_again(node):
    async def story():
        async with node.running() as pods:
            pods.changed(pod())
            await asyncio.sleep(1)
            (container,) = node.podman.containers_by_id
            node.podman.forget(container)
            await asyncio.sleep(2 * AUDIT_SECONDS)
            assert node.podman.starts == ["app-u-0", "app-u-1"]
            assert node.processes() == ["app-u-1"]
            assert node.restarts() == 1

    simulate(story())


def test_a_worker_that_raises_is_started_again_and_keeps_its_pod(node):
    async def story():
        async with node.running() as pods:
            pods.changed(pod())
            pods.changed(pod("other"))
            pods.settle({"u", "other"})
            await asyncio.sleep(1)
            before = dict(node.podman.containers_by_id)
            node.failing = {"u"}
            pods.changed({**pod(), "status": {}})
            await asyncio.sleep(5 * AUDIT_SECONDS)
            assert "u" in pods.workers
            node.failing = set()
            await asyncio.sleep(5 * AUDIT_SECONDS)
            assert node.podman.containers_by_id == before
            assert len(node.podman.starts) == 2
            assert node.condition("Ready")["status"] == "True"
            assert ("pod-u", "FailedSync", "Error syncing pod: the report is broken") in node.tools.api.events
            assert all(name == "pod-u" for name, reason, _ in node.tools.api.events if reason == "FailedSync")

    simulate(story())


def test_a_failing_worker_says_so_in_a_condition_that_its_recovery_clears(node):
    async def story():
        async with node.running() as pods:
            node.tools.addresses.give = None  # a bug: an action that raises is told, and is not its worker's end
            pods.changed(pod())
            await asyncio.sleep(1)
            assert "FailedCreatePodSandBox" in node.reasons()
            del node.tools.addresses.give
            await asyncio.sleep(20)
            assert node.condition("kubus.io/SyncFailed") is None

            def broken(*facts):
                raise RuntimeError("a bug")

            pods.workers["u"]._turn = broken  # nothing from outside makes a correct worker raise
            node.podman.end(*node.podman.processes, 1)
            await asyncio.sleep(30)
            found = node.condition("kubus.io/SyncFailed")
            assert (found["status"], found["reason"]) == ("True", "FailedSync")
            assert found["message"] == "Error syncing pod: a bug"
            del pods.workers["u"]._turn
            await asyncio.sleep(180)
            assert node.condition("kubus.io/SyncFailed")["status"] == "False"
            assert node.condition("Ready")["status"] == "True"

    simulate(story())


@pytest.mark.parametrize(
    "spec", [{"containers": [5]}, {"containers": {"a": 1}}, {"restartPolicy": 5, "initContainers": 3}]
)
def test_a_pod_of_the_wrong_shape_stops_only_itself_and_can_be_deleted(node, spec):
    async def story():
        async with node.running() as pods:
            pods.changed(pod("bad", **spec))
            pods.changed(pod())
            pods.settle({"u", "bad"})
            await asyncio.sleep(30)
            assert node.statuses["u"]["phase"] == "Running"
            pods.deleted("bad")
            await asyncio.sleep(300)
            assert set(pods.workers) == {"u"}
            assert not node.tools.paths.pod("bad").exists()

    simulate(story())


def test_what_lies_in_the_pods_directory_by_chance_is_left_alone(node):
    stray = [node.tools.paths.pods / name for name in ("notes.txt", "lost+found")]
    stray[0].write_text("mine")
    stray[1].mkdir()
    (node.tools.paths.pods / "other").mkdir()
    (node.tools.paths.pods / "other" / "pod.json").write_text('{"metadata": {"uid": "other"}, "spec": [1]}')
    (node.tools.paths.pods / "third").symlink_to("/nowhere")

    async def story():
        async with node.running() as pods:
            pods.changed(pod())
            pods.settle({"u"})
            await asyncio.sleep(20)
            assert set(pods.workers) == {"u"}

    simulate(story())
    assert all(each.exists() for each in stray)


def test_a_full_disk_costs_a_pod_nothing_that_runs(node, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    async def story():
        async with node.running() as pods:
            pods.changed(pod())
            pods.settle({"u", "late"})
            await asyncio.sleep(1)
            with monkeypatch.context() as patch:
                patch.setattr("pathlib.Path.write_bytes", full)
                patch.setattr("pathlib.Path.write_text", full)
                (container,) = node.podman.processes
                node.podman.end(container, 1)
                pods.changed(pod("late"))
                await asyncio.sleep(30)
                assert set(pods.workers) == {"u", "late"}
                assert "Error: [Errno 28] No space left on device" in [said for _, _, said in node.tools.api.events]
            await asyncio.sleep(30)
            assert node.processes() == ["app-late-0", "app-u-1"]
            assert [each["phase"] for each in node.statuses.values()] == ["Running", "Running"]

    simulate(story())


@pytest.mark.parametrize("give_seconds", [0.0, 0.5])
@pytest.mark.parametrize("turns", range(8))
def test_pods_that_are_deleted_while_they_are_being_made_leave_nothing(node, turns, give_seconds):
    async def story():
        node.podman.call_seconds = 0.1
        node.tools.addresses.give_seconds = give_seconds
        async with node.running() as pods:
            uids = [f"u{number}" for number in range(20)]
            for number, uid in enumerate(uids):
                pods.changed(pod(uid))
                for _ in range(turns):
                    await asyncio.sleep(0)
                deleting = pod(uid)
                deleting["metadata"] |= {"deletionTimestamp": "2026-01-01T12:00:00Z", "deletionGracePeriodSeconds": 1}
                pods.changed(deleting)
                await asyncio.sleep(number * 0.05)
                pods.changed(deleting)  # told twice, as any later write of it does
            await asyncio.sleep(60)
            assert (pods.workers, node.podman.containers_by_id, node.tools.addresses.uids()) == ({}, {}, set())
            assert list(node.tools.paths.pods.iterdir()) == []
            assert set(node.tools.api.finished) == set(uids)

    simulate(story())


def mounted(*volumes):
    return {"volumes": [{"name": f"v{number}", **each} for number, each in enumerate(volumes)]}


@pytest.mark.parametrize(
    "made", [["etc/hosts"], [], ["etc/hosts", "etc/resolv.conf", "etc/hostname"]], ids=["some", "none", "no volumes"]
)
def test_a_kubelet_that_died_while_a_pod_was_prepared_is_followed_by_one_that_makes_what_is_missing(node, made):
    waiting = pod(**mounted({"emptyDir": {}}, {"downwardAPI": {"items": [NAME_ITEM]}}))

    async def story():
        async with node.running() as pods:
            pods.changed(waiting)
            await asyncio.sleep(1)
        (container,) = node.podman.containers_by_id
        await node.podman.remove(container)
        directory = node.tools.paths.pod("u")
        for part in ("etc/hosts", "etc/resolv.conf", "etc/hostname"):
            if part not in made:
                (directory / part).unlink()
        shutil.rmtree(directory / "volumes")
        async with node.running() as pods:
            pods.changed(waiting)
            await asyncio.sleep(30)
            assert node.statuses["u"]["phase"] == "Running"
            assert (directory / "volumes" / "v0").is_dir()
            assert (directory / "volumes" / "v1" / "name").read_text() == "pod-u"

    simulate(story())


def test_what_is_missing_beside_a_running_container_is_made_without_a_restart(node):
    running = pod(**mounted({"emptyDir": {}}))

    async def story():
        async with node.running() as pods:
            pods.changed(running)
            await asyncio.sleep(1)
        (node.tools.paths.pod("u") / "etc" / "hosts").unlink()
        async with node.running() as pods:
            pods.changed(running)
            await asyncio.sleep(30)
            assert (node.tools.paths.pod("u") / "etc" / "hosts").exists()
            assert node.podman.starts == ["app-u-0"]

    simulate(story())


@pytest.mark.parametrize(
    ("policy", "phase", "processes"), [("Always", "Running", ["app-u-1"]), ("Never", "Failed", [])]
)
def test_a_sandbox_that_vanished_is_made_again_and_containers_start_in_it_by_their_policy(
    node, policy, phase, processes
):
    async def story():
        async with node.running() as pods:
            pods.changed(pod(restartPolicy=policy))
            await asyncio.sleep(1)
            before = node.tools.addresses.address("u")
            node.tools.addresses.vanished.add("u")
            await asyncio.sleep(3 * AUDIT_SECONDS)
            assert (node.statuses["u"]["phase"], node.processes()) == (phase, processes)
            assert ("pod-u", "SandboxChanged", SANDBOX_CHANGED) in node.tools.api.events
            assert node.tools.addresses.address("u") != before
            if processes:
                assert node.statuses["u"]["podIP"] == node.tools.addresses.address("u")

    simulate(story())


def reserved(uid, cpu):
    return pod(uid, containers=[{**APP, "resources": {"requests": {"cpu": cpu}}}])


def test_a_pod_that_does_not_fit_fails_and_is_never_started(node):
    async def story():
        async with node.running() as pods:
            for uid in ("a", "b"):
                pods.changed(reserved(uid, "5"))
            await asyncio.sleep(5)
            assert node.processes() == ["app-a-0"]
            status = node.statuses["b"]
            assert (status["phase"], status["reason"], status["containerStatuses"]) == ("Failed", "OutOfcpu", [])
            words = "Node didn't have enough resource: cpu, requested: 5000, used: 5000, capacity: 8000"
            assert status["message"] == f"Pod was rejected: {words}"
            assert node.reasons().count("OutOfcpu") == 1
            pods.deleted("a")
            await asyncio.sleep(30)
            pods.changed(reserved("c", "5"))
            await asyncio.sleep(5)
            assert node.processes() == ["app-c-0"]
            assert node.statuses["b"]["phase"] == "Failed"
            pods.deleted("b")
            await asyncio.sleep(5)
            assert "b" not in pods.workers

    simulate(story())


def test_what_a_node_seems_to_lack_may_just_have_come_to_it(node):
    api = node.tools.api

    async def look(*, fresh=False):
        labels = {"disk": "fast"} if fresh else {}
        return {"metadata": {"name": "n", "labels": labels}, "status": {"allocatable": api.allocatable}}

    async def story():
        api.node = look
        async with node.running() as pods:
            pods.changed(pod(nodeSelector={"disk": "fast"}))
            await asyncio.sleep(5)
            assert node.processes() == ["app-u-0"]

    simulate(story())


def test_what_runs_is_not_asked_about_again_by_the_next_kubelet(node):
    async def story():
        async with node.running() as pods:
            pods.changed(reserved("a", "5"))
            await asyncio.sleep(5)
        node.tools.api.allocatable = {"cpu": "1", "pods": "110"}
        async with node.running() as pods:
            pods.changed(reserved("a", "5"))
            await asyncio.sleep(5)
            assert node.reasons().count("OutOfcpu") == 0
            assert node.statuses["a"]["phase"] in ("Pending", "Running")

    simulate(story())


def test_a_debug_container_without_a_running_target_says_so(node):
    debug = {"name": "debug", "image": "a:1", "targetContainerName": "app"}

    async def story():
        async with node.running() as pods:
            slow = {"name": "slow", "image": "a:1"}
            pods.changed(pod(restartPolicy="Never", containers=[slow, APP], ephemeralContainers=[debug]))
            await asyncio.sleep(20)
            assert "debug-u-0" in node.podman.starts
            joined = next(each for each in node.podman.containers_by_id.values() if each.spec["name"] == "debug-u-0")
            target = next(each for each in node.podman.containers_by_id.values() if each.spec["name"] == "app-u-0")
            assert joined.spec["pidns"] == {"nsmode": "container", "value": target.id}
            ended = {"name": "late", "image": "a:1", "targetContainerName": "slow"}
            (slow_id,) = [each.id for each in node.podman.containers_by_id.values() if "slow" in each.spec["name"]]
            node.podman.end(slow_id, 0)
            await asyncio.sleep(1)
            pods.changed(pod(restartPolicy="Never", containers=[slow, APP], ephemeralContainers=[debug, ended]))
            await asyncio.sleep(5)
            assert "late-u-0" not in node.podman.starts
            said = "unable to find target container slow: it is not running"
            assert ("pod-u", "Failed", f"Error: {said}") in node.tools.api.events
            waiting = node.statuses["u"]["ephemeralContainerStatuses"][1]["state"]["waiting"]
            assert waiting == {"reason": "CreateContainerConfigError", "message": said}

    simulate(story())
