"""A real node without a cluster: network namespace, Podman and pod workers, over an API that is a dictionary."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.reaper import REAPER

from kubus.bus.memory import MemoryBus
from kubus.bus.sessions import ERROR, STDERR, STDOUT, Session, open_session, serve_sessions
from kubus.model.codec import from_json
from kubus.model.objects import Object, name_of
from kubus.model.times import rfc3339
from kubus.service.clocks import SystemClock
from kubus.service.logs import Logger
from kubus_kubelet.cleanup import clean_up
from kubus_kubelet.log_lines import Wanted, shown
from kubus_kubelet.node_parts import NodeParts
from kubus_kubelet.questions import Questions
from kubus_kubelet.references import Reference
from kubus_kubelet.settings import KubeletSettings, NodePaths
from kubus_kubelet.states import Decision
from kubus_kubelet.streams import Streams

IMAGE = "localhost/kubus-test-busybox:1"
POD_CIDR = "10.233.77.0/24"


class DictApi:
    """`PodApi` over dictionaries."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, Reference], Object] = {}
        self.statuses: dict[str, list[Object]] = {}
        self.finished: list[str] = []
        self.labels: dict[str, str] = {}
        self.allocatable = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}
        self.events: list[tuple[str, str, str, str]] = []

    async def fetch(self, namespace: str, reference: Reference, *, fresh: bool = False) -> Object | None:
        return self.objects.get((namespace, reference))

    async def token(self, pod: Object, audience: str, seconds: int) -> str:
        return f"token-of-{name_of(pod)}"

    async def node(self, *, fresh: bool = False) -> Object:
        return {
            "metadata": {"name": "node-1", "labels": self.labels},
            "spec": {},
            "status": {"allocatable": self.allocatable},
        }

    async def api_environment(self) -> dict[str, str]:
        return {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}

    async def report(self, pod: Object, status: Object) -> None:
        self.statuses.setdefault(name_of(pod), []).append(status)

    async def finish(self, pod: Object) -> None:
        self.finished.append(name_of(pod))

    def record(self, pod: Object, type: str, reason: str, message: str, container: str = "") -> None:
        self.events.append((name_of(pod), type, reason, message))


class Node:
    """One node under test; statuses are kept as they were decided."""

    def __init__(self, settings: KubeletSettings) -> None:
        self.settings = settings
        self.api = DictApi()
        self.pods_by_uid: dict[str, Object] = {}
        self.decided: dict[str, list[Object]] = {}
        self.news = asyncio.Condition()
        self._tasks: asyncio.Task[None] | None = None

    def report(self, pod: Object, decision: Decision) -> None:
        name = name_of(pod)
        history = self.decided.setdefault(name, [])
        if not history or history[-1] != decision.status:
            history.append(decision.status)
            pod["status"] = decision.status

    async def start(self) -> None:
        self.parts = NodeParts.of(self.settings, self.api, SystemClock(), Logger("test"), self.report)
        await self.parts.start()
        self.parts.tools.addresses.set_range(POD_CIDR)
        self._tasks = asyncio.create_task(self.parts.run())
        await self.parts.pods.adopted()

    async def kill(self) -> None:
        """End the kubelet as a crash would: nothing is told, nothing is stopped."""
        assert self._tasks is not None
        self._tasks.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._tasks
        await self.parts.aclose()

    def run_pod(self, name: str, *containers: Object, **spec: Any) -> Object:
        pod: Object = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"namespace": "default", "name": name, "uid": str(uuid.uuid4()), "labels": {"app": name}},
            "spec": {
                "nodeName": self.settings.node_name,
                "containers": list(containers),
                "terminationGracePeriodSeconds": 1,
                "enableServiceLinks": False,
                **spec,
            },
        }
        self.pods_by_uid[pod["metadata"]["uid"]] = pod
        self.parts.pods.changed(pod)
        return pod

    def delete_pod(self, pod: Object) -> None:
        pod["metadata"]["deletionTimestamp"] = rfc3339(SystemClock().now())
        pod["metadata"]["deletionGracePeriodSeconds"] = pod["spec"]["terminationGracePeriodSeconds"]
        self.parts.pods.changed(pod)

    async def until(self, pod: Object, holds: Callable[[Object], Any], seconds: float = 90) -> Object:
        """The pod's status as soon as it fulfils a condition."""
        name, last = name_of(pod), None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    for status in self.decided.get(name, ())[-1:]:
                        last = status
                        with contextlib.suppress(KeyError, IndexError, TypeError):
                            if holds(status):
                                return status
                    await asyncio.sleep(0.01)
        raise AssertionError(f"{name} never came to it; last {last}; events {self.events(name)}")

    async def running(self, pod: Object, seconds: float = 90) -> Object:
        def is_ready(status: Object) -> bool:
            return {each["type"]: each["status"] for each in status["conditions"]}["Ready"] == "True"

        return await self.until(pod, is_ready, seconds)

    async def waiting(self, pod: Object, reason: str) -> str:
        """The message of the first container as soon as it waits for a reason."""

        def waits(status: Object) -> bool:
            return bool(status["containerStatuses"][0]["state"]["waiting"]["reason"] == reason)

        status = await self.until(pod, waits)
        return str(status["containerStatuses"][0]["state"]["waiting"].get("message", ""))

    async def gone(self, pod: Object, seconds: float = 90) -> None:
        async with asyncio.timeout(seconds):
            while pod["metadata"]["uid"] in self.parts.pods.workers:  # the world is asked, it does not tell
                await asyncio.sleep(0.01)

    def events(self, name: str) -> list[tuple[str, str]]:
        return [(reason, message) for about, _, reason, message in self.api.events if about == name]

    def log(self, pod: Object, container: str, attempt: int = 0) -> str:
        path = NodePaths.of(self.settings).pod(pod["metadata"]["uid"]) / "containers" / container / str(attempt) / "log"
        lines = path.read_bytes().splitlines(keepends=True)
        return b"".join(shown(line, Wanted()) for line in lines).decode()


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def import_image(archive: Path, name: str, *options: str) -> None:
    """Make an image of a root file system's archive, as `podman import` on the machine does."""
    run("podman", "--cgroup-manager=cgroupfs", "--runtime=runc", *options, "import", str(archive), name)


@pytest.fixture(scope="session")
def image_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root file system of a small image: busybox."""
    root = tmp_path_factory.mktemp("image")
    (root / "bin").mkdir()
    run("cp", "/bin/busybox", str(root / "bin"))
    run("/bin/busybox", "--install", "-s", str(root / "bin"))
    for link in (root / "bin").iterdir():
        if link.is_symlink():
            link.unlink()
            link.symlink_to("/bin/busybox")
    for name in ("tmp", "etc", "proc", "sys", "dev", "data"):
        (root / name).mkdir()
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    run("tar", "-C", str(root), "-cf", f"{root}.tar", ".")
    return Path(f"{root}.tar")


@pytest.fixture(scope="session")
def image(image_archive: Path) -> str:
    """A small image in the machine's own store, imported without a registry."""
    import_image(image_archive, IMAGE)
    return IMAGE


@pytest.fixture(scope="session")
def variant() -> Callable[..., str]:
    """Makes an image like another, with other settings (`USER app`) and files of its own."""
    return _vary


def _vary(image: str, tag: str, *changes: str, files: dict[str, str] | None = None) -> str:
    name = f"localhost/kubus-test-variant:{tag}"
    made = subprocess.run(["podman", "create", image, "true"], check=True, capture_output=True, text=True)
    container = made.stdout.strip()
    for path, text in (files or {}).items():
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            run("podman", "cp", file.name, f"{container}:{path}")
    run("podman", "commit", *(f"--change={each}" for each in changes), container, name)
    run("podman", "rm", "-f", container)
    return name


@pytest.fixture
def node_settings(tmp_path: Path) -> Any:
    netns = f"kltest-{uuid.uuid4().hex[:8]}"
    settings = KubeletSettings(
        node_name="node-1", node_netns=f"/run/netns/{netns}", node_ip="10.233.76.1", data_dir=tmp_path
    )
    variables = {
        f"KUBUS_{name.upper()}": str(getattr(settings, name)) for name in ("node_name", "node_netns", "data_dir")
    }
    REAPER.undo_later(f"namespace {netns}", ["ip", "netns", "del", netns])
    REAPER.undo_later(f"node {netns}", [sys.executable, "-m", "kubus_kubelet.cleanup"], variables)
    run("ip", "netns", "add", netns)
    run("ip", "-n", netns, "link", "set", "lo", "up")
    run("ip", "netns", "exec", netns, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")  # as a proxy does
    run("ip", "netns", "exec", netns, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")  # as `kubus up` does
    run("ip", "-n", netns, "addr", "add", "10.233.76.1/32", "dev", "lo")
    yield settings
    asyncio.run(clean_up(settings))
    REAPER.forget(f"node {netns}")
    run("ip", "netns", "del", netns)
    REAPER.forget(f"namespace {netns}")


@pytest.fixture
async def node(node_settings: KubeletSettings, image: str) -> AsyncIterator[Node]:
    node = Node(node_settings)
    await node.start()
    try:
        yield node
    finally:
        await node.kill()


class Talk:
    """Streams to a node, as an apiserver opens them."""

    def __init__(self, bus: MemoryBus, node: str) -> None:
        self._bus = bus
        self._node = node

    async def open(
        self, pod: Object, verb: str, *command: str, tty: bool = False, stdin: bool = False, **options: Any
    ) -> Session:
        call = {
            "verb": verb,
            "namespace": "default",
            "pod": name_of(pod),
            "uid": pod["metadata"]["uid"],
            "container": "app",
            "command": list(command),
            "stdin": stdin,
            "stdout": True,
            "stderr": not tty,
            "tty": tty,
            "options": options,
        }
        return await open_session(self._bus, self._node, call)

    async def received(self, session: Session) -> tuple[str, str, Any]:
        """(stdout, stderr, status) of a session until its end."""
        texts = {STDOUT: b"", STDERR: b"", ERROR: b""}
        while (frame := await session.receive()) is not None:
            if frame[0] in texts:
                texts[frame[0]] += frame[1]
        await session.aclose()
        return texts[STDOUT].decode(), texts[STDERR].decode(), from_json(texts[ERROR]) if texts[ERROR] else None


@pytest.fixture
async def talk(node: Node) -> AsyncIterator[Talk]:
    bus = MemoryBus()
    questions = Questions(node.parts.pods, CollectorRegistry())
    server = await serve_sessions(bus, "node-1", Streams(node.parts.tools, node.parts.pods, questions).accept)
    yield Talk(bus, "node-1")
    await server.aclose()
    await bus.aclose()
