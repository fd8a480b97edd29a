"""What is seen of a pod's containers, over a Podman that is a dictionary."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from kubus.service.logs import Logger
from kubus.testing.clock import SimulatedClock, simulate
from kubus_kubelet import container_specs as labels
from kubus_kubelet.engine import EngineError
from kubus_kubelet.exits import ProcessExits
from kubus_kubelet.pod_directory import PodDirectory
from kubus_kubelet.pod_sight import PodSight
from kubus_kubelet.settings import NodePaths
from kubus_kubelet.states import ContainerSeen, Failure

POD = {
    "metadata": {"name": "p", "namespace": "d", "uid": "u"},
    "spec": {"containers": [{"name": "app"}], "initContainers": [{"name": "first"}]},
}
LONG_GONE = 2**22
"""No process has this number."""


class Engine:
    """Podman with containers that are dictionaries."""

    def __init__(self, **containers):
        self.inspections = containers

    async def containers(self, label):
        assert label == "kubus.pod.uid=u"
        return [{"Id": each} for each in self.inspections]

    async def inspect(self, container_id):
        if container_id not in self.inspections:
            raise EngineError(404, "no such container")
        return self.inspections[container_id]


def inspection(container_id, status="exited", name="app", **state):
    marks = {labels.UID: "u", labels.CONTAINER: name, labels.ATTEMPT: "0", labels.STREAK: str(state.pop("streak", 0))}
    return {"Id": container_id, "Config": {"Labels": marks}, "State": {"Status": status, **state}}


class World:
    def __init__(self, tmp_path, **containers):
        self.events, self.changes = [], 0
        self.paths = NodePaths(tmp_path / "data", tmp_path / "run")
        self.paths.exits.mkdir(parents=True)
        self.tools = SimpleNamespace(
            settings=SimpleNamespace(node_ip="10.0.0.1"),
            addresses=SimpleNamespace(address=lambda uid: "10.244.0.9"),
            api=SimpleNamespace(record=lambda pod, *said: self.events.append(said)),
            handlers=None,
            clock=SimulatedClock(),
            log=Logger("test"),
            engine=Engine(**containers),
            exits=ProcessExits(self.paths),
            paths=self.paths,
        )
        self.directory = PodDirectory(self.paths.pod("u"))
        self.sight = PodSight(self.tools, POD, self.directory, self.changed)

    def changed(self):
        self.changes += 1

    def begin(self):
        async def story():
            async with asyncio.TaskGroup() as tasks:
                self.sight.begin(tasks)
                await self.sight.look()

        simulate(story())


def test_what_podman_no_longer_has_is_no_longer_seen_but_for_how_it_ended(tmp_path):
    world = World(tmp_path, c2=inspection("c2", ExitCode=3))
    gone = ContainerSeen("c0", "app", step="exited", exit_code=1), ContainerSeen("c1", "app", step="created")
    world.sight.note(containers=gone)
    world.begin()
    ends = [(each.id, each.step, each.exit_code) for each in world.sight.seen.containers]
    assert ends == [("c0", "exited", 1), ("c2", "exited", 3)]
    assert world.changes == 1


@pytest.mark.parametrize(
    ("written", "out_of_memory", "seen"),
    [
        ("3", False, (3, "")),
        ("137", False, (137, "")),
        ("137", True, (137, "OOMKilled")),
        ("", False, (137, "ContainerStatusUnknown")),
    ],
)
def test_the_end_of_a_container_is_what_conmon_wrote_of_it(tmp_path, written, out_of_memory, seen):
    world = World(tmp_path, c=inspection("c", "running", Pid=LONG_GONE))
    (world.paths.exits / "c").write_text(written)
    if out_of_memory:
        noted = world.paths.storage / "overlay-containers" / "c" / "userdata"
        noted.mkdir(parents=True)
        (noted / "oom").touch()
    world.begin()
    (found,) = world.sight.seen.containers
    assert (found.step, found.exit_code, found.reason) == ("exited", *seen)


def test_the_last_words_and_the_reason_outlive_the_kubelet(tmp_path):
    world = World(tmp_path, c=inspection("c", "running", Pid=LONG_GONE))
    (world.directory.make_attempt("app", 0) / "termination").write_text("too much")
    world.begin()
    (found,) = world.sight.seen.containers
    assert (found.reason, found.message) == ("ContainerStatusUnknown", "too much")
    assert world.directory.end_note("app", 0)[:2] == ("ContainerStatusUnknown", "too much")


def test_a_container_that_keeps_failing_is_warned_of(tmp_path):
    world = World(tmp_path, c=inspection("c", "running", Pid=LONG_GONE, streak=2))
    (world.paths.exits / "c").write_text("1")
    world.begin()
    ((kind, reason, message, container),) = world.events
    assert (kind, reason, container) == ("Warning", "BackOff", "spec.containers{app}")
    assert message == "Back-off restarting failed container app in pod p_d(u)"


def test_an_audit_ends_what_is_missing_but_not_what_is_being_worked_on(tmp_path):
    there = inspection("c3", "running", Pid=LONG_GONE)

    async def story():
        world = World(tmp_path, c3=there)
        async with asyncio.TaskGroup() as tasks:
            world.sight.begin(tasks)
            seen = (
                ContainerSeen("c1", "app"),
                ContainerSeen("c2", "first"),
                ContainerSeen("c3", "app"),
                ContainerSeen("c4", "app", step="created"),
            )
            world.sight.note(containers=seen, busy=frozenset({"first"}))
            assert world.sight.alive() == {"c1", "c3", "c4"}
            for _ in range(2):
                await world.sight.check_missing(["c1", "c2", "c3", "c4"])
        return world

    world = simulate(story())
    found = {each.id: (each.step, each.reason) for each in world.sight.seen.containers}
    assert found == {"c1": ("exited", "ContainerStatusUnknown"), "c2": ("running", ""), "c3": ("running", "")}


def test_what_was_left_behind_is_adopted_with_the_pods_address(tmp_path):
    async def story():
        world = World(tmp_path)
        world.sight.adopt([ContainerSeen("c1", "app")], prepared=True)
        return world.sight

    sight = simulate(story())
    assert (sight.seen.address, sight.seen.prepared, sight.find("c1")) == (
        "10.244.0.9",
        True,
        ContainerSeen("c1", "app"),
    )
    assert sight.find("c2") is None


def test_a_failure_stands_until_a_success(tmp_path):
    async def story():
        world = World(tmp_path)
        now = world.tools.clock.now()
        for name in ("app", ""):
            world.sight.failed(name, Failure("ErrImagePull", "no", now, now))
        world.sight.succeeded("app")
        return world.sight

    assert list(simulate(story()).seen.failures) == [""]


def test_a_container_is_found_in_the_spec_whatever_it_is(tmp_path):
    sight = World(tmp_path).sight
    assert [sight.container(name) for name in ("app", "first", "none")] == [
        {"name": "app"},
        {"name": "first"},
        {"name": "none"},
    ]
