"""The parts of a node that the real kubelet's pods stand on, made up: Podman, its processes, sandboxes, the API.

They live in simulated time and keep the promises of the real ones that pods rest on: an attempt at a container exists
once; a list is as old as its question; a process lives until it is ended, whatever Podman's records say; a cancelled
call may have been carried out all the same.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from kubus.model.errors import StatusError
from kubus.model.objects import Object, name_of, uid_of
from kubus.service.logs import Logger
from kubus.testing.clock import SimulatedClock
from kubus_kubelet import container_specs
from kubus_kubelet.engine import EngineError
from kubus_kubelet.node_tools import NodeTools
from kubus_kubelet.probes import Outcome
from kubus_kubelet.sandbox import SandboxError
from kubus_kubelet.settings import KubeletSettings, NodePaths

IMAGE = {"Id": "sha256:1", "Config": {}, "Size": 1}
PULL_SECONDS_MAX = 3.0
KILLED = 128 + signal.SIGKILL


@dataclass
class FakeContainer:
    """What Podman has of one container."""

    id: str
    spec: dict[str, Any]
    status: str = "created"
    pid: int = 0
    code: int = 0
    started: str = ""
    finished: str = ""


@dataclass
class FakePodman:
    """Podman and the processes of its containers: `Engine` and `Exits` in one."""

    clock: SimulatedClock
    list_seconds: float = 0.0
    """How long a list takes, that says what was when it was asked for."""
    call_seconds: float = 0.0
    containers_by_id: dict[str, FakeContainer] = field(default_factory=dict)
    processes: list[str] = field(default_factory=list)
    """Container ids whose first process lives."""
    starts: list[str] = field(default_factory=list)
    """Name and attempt of every container that was ever started, in order."""
    refusals: list[EngineError] = field(default_factory=list)
    """What the next calls answer with."""
    number: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    watchers: dict[str, Callable[[], None]] = field(default_factory=dict)
    on_start: Callable[[FakeContainer], None] = lambda container: None
    on_end: Callable[[FakeContainer, bool], None] = lambda container, wanted: None
    """Told of each end, and whether a kubelet wanted it."""
    made: dict[str, FakeContainer] = field(default_factory=dict)
    """Every container whose process lives, whatever Podman's records say."""

    async def _call(self) -> None:
        if self.call_seconds:
            await asyncio.sleep(self.call_seconds)
        if self.refusals:
            raise self.refusals.pop(0)

    async def containers(self, label: str = container_specs.UID) -> list[dict[str, Any]]:
        key, _, value = label.partition("=")
        listed = [
            {"Id": each.id, "Labels": each.spec["labels"]}
            for each in self.containers_by_id.values()
            if key in each.spec["labels"] and value in ("", each.spec["labels"][key])
        ]
        if self.list_seconds and not value:
            await asyncio.sleep(self.list_seconds)
        await self._call()
        return listed

    async def inspect(self, container: str) -> dict[str, Any]:
        await self._call()
        found = self._found(container)
        state: dict[str, Any] = {"Status": found.status, "Pid": found.pid, "ExitCode": found.code}
        state |= {"StartedAt": found.started, "FinishedAt": found.finished}
        return {"Id": found.id, "Image": "1", "Config": {"Labels": found.spec["labels"]}, "State": state}

    async def create(self, spec: dict[str, Any]) -> str:
        await self._call()
        if any(each.spec["name"] == spec["name"] for each in self.containers_by_id.values()):
            raise EngineError(500, f"the container name {spec['name']} is already in use")
        self.number += 1
        made = FakeContainer(f"c{self.number:05}", spec)
        self.containers_by_id[made.id] = made
        return made.id

    def lose_power(self) -> None:
        """Every process ends, and nobody sees it."""
        self.watchers.clear()
        for container in list(self.processes):
            self.end(container, KILLED)

    async def start(self, container: str) -> None:
        await self._call()
        found = self._found(container)
        found.status, found.pid = "running", self.number + 1000
        found.started = self.clock.now().isoformat()
        self.processes.append(found.id)
        self.made[found.id] = found
        self.starts.append(found.spec["name"])
        self.on_start(found)

    async def kill(self, container: str, signal: str) -> None:
        self.end(container, KILLED, wanted=True)

    async def remove(self, container: str) -> None:
        await self._call()
        for found in list(self.containers_by_id.values()):
            if container in (found.id, found.spec["name"]):
                self.end(found.id, KILLED, wanted=True)
                del self.containers_by_id[found.id]

    def _found(self, container: str) -> FakeContainer:
        if container not in self.containers_by_id:
            raise EngineError(404, f"no such container {container}")
        return self.containers_by_id[container]

    def end(self, container: str, code: int, *, wanted: bool = False) -> None:
        """The container's process ends, of its own accord or because a kubelet wants it."""
        if container not in self.processes:
            return
        self.processes.remove(container)
        self.ended[container] = code
        self.on_end(self.made.pop(container), wanted)
        if container in self.containers_by_id:
            found = self.containers_by_id[container]
            found.status, found.pid, found.code = "exited", 0, code
            found.finished = self.clock.now().isoformat()
        if container in self.watchers:
            asyncio.get_running_loop().call_soon(self.watchers.pop(container))

    def forget(self, container: str) -> None:
        """Podman loses its record; the process lives on."""
        del self.containers_by_id[container]

    def lose(self, container: str) -> None:
        """Somebody removes a container; how it ended is told by nobody."""
        self.end(container, KILLED)
        self.ended.pop(container, None)
        del self.containers_by_id[container]

    # Exits

    def watch(self, container_id: str, pid: int, ended: Callable[[], None]) -> FakeWatch:
        if container_id not in self.processes:
            raise ProcessLookupError(pid)
        self.watchers[container_id] = ended
        return FakeWatch(self, container_id)

    async def code(self, container_id: str) -> int | None:
        await asyncio.sleep(0.01)
        return self.ended.get(container_id)

    def is_out_of_memory(self, container_id: str) -> bool:
        return False


@dataclass
class FakeWatch:
    """`Watch` of one made-up process."""

    podman: FakePodman
    container_id: str
    out_of_memory: bool = False

    def signal(self, number: int) -> None:
        self.podman.end(self.container_id, 128 + number, wanted=True)

    def close(self) -> None:
        self.podman.watchers.pop(self.container_id, None)


@dataclass
class FakeAddresses:
    """Sandboxes of a node: `PodAddresses` over a dictionary."""

    give_seconds: float = 0.0
    by_uid: dict[str, str] = field(default_factory=dict)
    prefix: str = "10.1.1"
    """The first three bytes of every address; "" before the node has a range."""
    vanished: set[str] = field(default_factory=set)
    """Pods whose sandbox was removed behind the kubelet's back."""
    number: int = 1

    async def read(self) -> None:
        """What stands is in the dictionary."""

    def set_range(self, pod_cidr: str) -> None:
        """The node's pod range, a /24."""
        self.prefix = pod_cidr.rpartition(".")[0]

    def address(self, uid: str) -> str:
        return self.by_uid.get(uid, "")

    def uids(self) -> set[str]:
        return set(self.by_uid)

    async def lost(self) -> set[str]:
        return set(self.vanished) & set(self.by_uid)

    async def give(self, uid: str) -> str:
        if not self.prefix:
            raise SandboxError("the node has no pod range (spec.podCIDR) yet")
        if uid not in self.by_uid:
            if self.give_seconds:
                await asyncio.sleep(self.give_seconds)
            self.by_uid[uid] = self._free()
        return self.by_uid[uid]

    def _free(self) -> str:
        while True:
            self.number = self.number % 250 + 1
            address = f"{self.prefix}.{self.number + 1}"
            if address not in self.by_uid.values():
                return address

    async def take(self, uid: str) -> None:
        self.vanished.discard(uid)
        self.by_uid.pop(uid, None)


class FakePulls:
    """Every image is here."""

    async def present(self, container: Object) -> dict[str, Any] | None:
        return IMAGE


class SlowPulls(FakePulls):
    """Every image is here, after a while."""

    def __init__(self, random: Random) -> None:
        self._random = random

    async def present(self, container: Object) -> dict[str, Any] | None:
        await asyncio.sleep(self._random.random() * PULL_SECONDS_MAX)
        return IMAGE


class FakeHandlers:
    """Every probe passes."""

    async def probe(self, probe: Object, container: Object, container_id: str, address: str) -> Outcome:
        return Outcome(True)

    async def run(self, handler: Object, container: Object, container_id: str, address: str) -> Outcome:
        return Outcome(True)


@dataclass
class DictApi:
    """`PodApi` over dictionaries."""

    events: list[tuple[str, str, str]] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    refused: StatusError | None = None
    labels: dict[str, str] = field(default_factory=dict)
    allocatable: dict[str, str] = field(default_factory=lambda: {"cpu": "8", "memory": "16Gi", "pods": "110"})

    async def fetch(self, namespace: str, reference: Any, *, fresh: bool = False) -> Object | None:
        return None

    async def token(self, pod: Object, audience: str, seconds: int) -> str:
        return f"token-of-{name_of(pod)}"

    async def node(self, *, fresh: bool = False) -> Object:
        return {
            "metadata": {"name": "n", "labels": self.labels},
            "spec": {},
            "status": {"allocatable": self.allocatable},
        }

    async def api_environment(self) -> dict[str, str]:
        return {}

    async def report(self, pod: Object, status: Object) -> None:
        """Statuses are read from the node."""

    async def finish(self, pod: Object) -> None:
        self.finished.append(uid_of(pod))

    def record(self, pod: Object, type: str, reason: str, message: str, container: str = "") -> None:
        self.events.append((name_of(pod), reason, message))


async def run_at_once(work: Any, *args: Any, **kwargs: Any) -> Any:
    """`Blocking` without a thread: in simulated time a disk is as fast as a function."""
    await asyncio.sleep(0)
    return work(*args, **kwargs)


def fake_tools(directory: Path, clock: SimulatedClock, **parts: Any) -> NodeTools:
    """The tools of a node, all of them fakes but the disk, which is a directory."""
    settings = KubeletSettings(
        node_name=parts.pop("node", "n"), node_ip=parts.pop("node_ip", "10.0.0.1"), data_dir=directory
    )
    paths = NodePaths(directory / "data", directory / "run")
    paths.pods.mkdir(parents=True, exist_ok=True)
    podman = parts.pop("podman", None) or FakePodman(clock)
    whole: dict[str, Any] = {
        "settings": settings,
        "paths": paths,
        "clock": clock,
        "log": Logger("test"),
        "engine": podman,
        "exits": podman,
        "blocking": run_at_once,
        "pulls": FakePulls(),
        "addresses": FakeAddresses(),
        "handlers": FakeHandlers(),
        "namespace": None,
        "api": DictApi(),
        "cpu_millis": 4000,
        "memory_bytes": 1 << 33,
    }
    return NodeTools(**{**whole, **parts})
