"""`kubus demo`: the whole of kubus in a minute. A cluster, an app behind a Service, a killed container, the repair.

What it does, it does over the bus under the administrator's identity, and what it shows comes from the bus too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from kubus.bus import Bus
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object, name_of, namespace_of, path_of, revision_of
from kubus.model.yaml_text import load_all_yaml
from kubus.service import SystemClock, logs
from kubus.service.settings import Settings
from kubus_cli import tap, tap_lines
from kubus_cli.advice import command_for
from kubus_cli.clusters import Cluster
from kubus_cli.colours import wants_colour
from kubus_cli.failures import Failure
from kubus_cli.journal_reader import JournalReader
from kubus_cli.outside_commands import run_command
from kubus_cli.places import Place
from kubus_cli.programs import DEMO_PACKAGES, PACKAGES, find_programs
from kubus_cli.steps import Steps
from kubus_cli.tapping import cluster_settings
from kubus_cli.up import UpOptions, up

DEMO_APP = Path(__file__).parent / "demo_app"
"""Part of the package, so that `kubus demo` runs wherever kubus is installed."""
IMAGE = "localhost/kubus-demo:1"
NAMESPACE = "default"
APP = "app=hello"
WAIT_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.1
QUIET_SECONDS = 1.0
EVENTS_OF_NAMESPACE = f"kubus.ev.*.*.{NAMESPACE}.>"


def demo(where: Place, nodes: int, environ: Mapping[str, str], steps: Steps) -> None:
    """Run it.

    Raises:
        Failure: a step did not come to its end.
    """
    logs.configure("warning", "text", "demo")
    programs = find_programs(environ, {**PACKAGES, **DEMO_PACKAGES})
    objects = load_all_yaml((DEMO_APP / "hello.yaml").read_bytes())
    cluster = up(where, UpOptions(nodes=nodes), environ, steps)
    _build_image(environ, programs["busybox"], steps)
    asyncio.run(_run(cluster, objects, steps))
    _say_what_next(cluster, steps)


def _build_image(environ: Mapping[str, str], busybox: str, steps: Steps) -> None:
    run_command(["sh", str(DEMO_APP / "build-image"), IMAGE], environ={**environ, "BUSYBOX": busybox})
    steps.done(f"image {IMAGE}, built without a registry", steps.seconds)


async def _run(cluster: Cluster, objects: list[Object], steps: Steps) -> None:
    settings = cluster_settings(cluster)
    bus = await tap.connected(settings, command_for(cluster, "status"))
    try:
        demonstration = _Demonstration(cluster, settings, bus, steps)
        await demonstration.run(objects)
    except StatusError as error:
        raise Failure(error.message, f"see: {command_for(cluster, 'status')}") from None
    finally:
        await bus.aclose()


class _Demonstration:
    def __init__(self, cluster: Cluster, settings: Settings, bus: Bus, steps: Steps) -> None:
        self._cluster = cluster
        self._settings = settings
        self._bus = bus
        self._client = BusClient(bus, settings.identity, manager="kubus-demo")
        self._steps = steps
        self._clock = SystemClock()

    async def run(self, objects: list[Object]) -> None:
        began = await self._apply(objects)
        await self._wait("every pod is ready", self._pods_ready)
        answer = await self._wait("the app answers through its ClusterIP", self._answer)
        self._steps.say(f"    {answer.strip()}")
        await self._kill_a_container()
        await self._wait("the container is back, its restart counted", self._restarted)
        await self._wait("the app answers again", self._answer)
        self._steps.say("\nWhat happened, from the bus:\n")
        await self._show_events(began)

    async def _apply(self, objects: list[Object]) -> int:
        """Create or patch each object; the revision of the first write."""
        kinds = {(kind.api_version, kind.name): kind for kind in builtin_kinds()}
        first = 0
        for obj in objects:
            kind = kinds[obj["apiVersion"], obj["kind"]]
            written = await self._create_or_patch(kind, obj)
            first = first or revision_of(written)
            self._steps.done(f"{kind.name} {name_of(written)}", self._steps.seconds)
        return first

    async def _create_or_patch(self, kind: Kind, obj: Object) -> Object:
        placed = {**obj, "metadata": {"namespace": NAMESPACE, **obj["metadata"]}}
        try:
            return await self._client.create(kind, placed)
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
            return await self._client.patch(kind, namespace_of(placed), name_of(placed), placed)

    async def _wait(self, what: str, look: Any) -> Any:
        """Look until there is something; shows what is waited for."""
        give_up = self._clock.monotonic() + WAIT_SECONDS_MAX
        while not (found := await look()):
            if self._clock.monotonic() > give_up:
                advice = f"see: {command_for(self._cluster, 'tap', '--since', '5m')}"
                raise Failure(f"waited {WAIT_SECONDS_MAX:.0f} s in vain until {what}", advice)
            await asyncio.sleep(LOOK_SECONDS)
        self._steps.done(what, self._steps.seconds)
        return found

    async def _pods(self) -> list[Object]:
        return (await self._client.list(PODS, NAMESPACE, label_selector=APP)).items

    async def _pods_ready(self) -> bool:
        pods = await self._pods()
        self._steps.waiting(", ".join(f"{name_of(pod)} {path_of(pod, 'status', 'phase')}" for pod in pods))
        return bool(pods) and all(_is_ready(pod) for pod in pods)

    async def _answer(self) -> str:
        service = await self._client.get(SERVICES, NAMESPACE, "hello")
        return await asyncio.to_thread(_fetch, f"http://{path_of(service, 'spec', 'clusterIP')}/")

    async def _kill_a_container(self) -> None:
        pod = (await self._pods())[0]
        container = _container_id(pod)
        pids = await asyncio.to_thread(processes_of_container, container)
        if not pids:
            raise Failure(f"container {container[:12]} has no process", "run the demo again")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._steps.done(f"killed the container of {name_of(pod)} (process {pids[0]})", self._steps.seconds)

    async def _restarted(self) -> bool:
        pods = await self._pods()
        return all(_is_ready(pod) for pod in pods) and any(_restarts(pod) for pod in pods)

    async def _show_events(self, since: int) -> None:
        """Everything that the journal holds of the namespace from a revision on."""
        reader = JournalReader(self._bus, self._settings.identity, EVENTS_OF_NAMESPACE, "all")
        memory, read = tap_lines.Memory(), 0
        coloured = wants_colour(sys.stdout, os.environ)
        width = os.get_terminal_size().columns if sys.stdout.isatty() else tap_lines.WIDTH_OFF_TERMINAL
        async with aclosing(reader.messages()) as batches:
            async for batch in batches:
                for message in batch:
                    seen = tap.seen_of(memory, message)
                    read += 1
                    if seen.event.revision >= since and not tap_lines.is_heartbeat(seen):
                        sys.stdout.write(f"{tap_lines.line(seen, None, width=width, coloured=coloured)}\n")
                if read >= reader.held:
                    return


def _is_ready(pod: Object) -> bool:
    conditions = path_of(pod, "status", "conditions", default=[])
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _restarts(pod: Object) -> int:
    return sum(each.get("restartCount", 0) for each in path_of(pod, "status", "containerStatuses", default=[]))


def _container_id(pod: Object) -> str:
    statuses = path_of(pod, "status", "containerStatuses", default=[])
    return str(statuses[0].get("containerID", "")).rpartition("/")[2] if statuses else ""


def processes_of_container(container: str) -> list[int]:
    """The processes in a container's control group (conmon has another); [] of an empty name."""
    found: list[int] = []
    for cgroup in Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):
            if container and _is_in(cgroup.read_text(), container):
                found.append(int(cgroup.parent.name))
    return sorted(found)


def _is_in(cgroups: str, container: str) -> bool:
    return container in cgroups and "conmon" not in cgroups


def _fetch(url: str) -> str:
    try:
        with urlopen(url, timeout=2.0) as answer:
            return str(answer.read().decode(errors="replace"))
    except (URLError, OSError):
        return ""


def _say_what_next(cluster: Cluster, steps: Steps) -> None:
    steps.say(
        f"""
The cluster {cluster.name!r} is running. Try:

    kubectl get pods -o wide
    kubectl scale deployment hello --replicas=5
    {command_for(cluster, "tap")}
        every change, who made it, and what led to it
    {command_for(cluster, "tap", "deploy/hello", "--since", "5m")}
    {command_for(cluster, "status")}
    {command_for(cluster, "down")}
        end it; its data stays
"""
    )
