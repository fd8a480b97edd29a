"""Scheduling: decisions of the core alone, and the drain of waiting pods through a whole control plane.

    python -m bench.scheduling [--pods 5000] [--nodes 1000,5000] [--core]

The drain starts etcd, nats-server, an apiserver, the relay and, once all nodes and pods are there, the scheduler; the
time runs from the scheduler's first binding to its last, as seen on the bus. Nodes are objects only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from kubus.bus.nats import connect
from kubus.bus.subjects import collection_subject
from kubus.bus.wire import decode_event
from kubus.client import Client
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object
from kubus.testing.etcd_server import etcd_server, free_port
from kubus.testing.nats_server import nats_server
from kubus_scheduler.core import Bind, Scheduler

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
SELECTOR = {"matchLabels": {"app": "bench"}}
Spec = dict[str, Any]


def make_node(number: int) -> Object:
    labels = {HOST: f"node-{number}", ZONE: f"zone-{number % 3}"}
    resources = {"cpu": "32", "memory": "256Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "labels": labels},
        "status": {"allocatable": resources, "capacity": resources},
    }


def make_pod(number: int, spec: Spec, namespace: str = "default") -> Object:
    requests = {"cpu": "100m", "memory": "500Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"pod-{number}", "namespace": namespace, "labels": {"app": "bench"}},
        "spec": {"containers": [{"name": "c", "image": "pause", "resources": {"requests": requests}}], **spec},
    }


def _required(side: str, key: str, **more: Any) -> Spec:
    term = {"labelSelector": SELECTOR, "topologyKey": key, **more}
    return {"affinity": {side: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


ALL_TEAMS = {"namespaceSelector": {"matchLabels": {"team": "bench"}}}
SPREAD = {"topologyKey": ZONE, "maxSkew": 5, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": SELECTOR}
WORKLOADS: dict[str, Spec] = {
    "plain": {},
    "pod affinity, zone": _required("podAffinity", ZONE),
    "anti-affinity, host": _required("podAntiAffinity", HOST),
    "topology spread, zone": {"topologySpreadConstraints": [SPREAD]},
    "affinity, namespaces": _required("podAffinity", ZONE, **ALL_TEAMS),
    "anti-affinity, namespaces": _required("podAntiAffinity", HOST, **ALL_TEAMS),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result."""

    name: str
    nodes: int
    pods: int
    seconds: float
    note: str = ""

    def __str__(self) -> str:
        rate = self.pods / self.seconds
        return f"{self.name:34} {self.nodes:6} nodes {self.pods:6} pods {rate:9.0f} pods/s  {self.note}"


def core_row(workload: str, nodes: int, pods: int) -> Row:
    """Decisions a second of the core alone, with what it is told counted in."""
    core = Scheduler(Random(1))
    for number in range(100):
        core.set_namespace({"metadata": {"name": f"ns-{number}", "labels": {"team": "bench"}}}, 0.0)
    for number in range(nodes):
        core.set_node(make_node(number))
    waiting = [make_pod(number, WORKLOADS[workload], f"ns-{number % 100}") for number in range(pods)]
    for number, pod in enumerate(waiting):
        pod["metadata"] |= {"uid": f"uid-{number}", "resourceVersion": str(number + 1)}
    start = time.perf_counter()
    for pod in waiting:
        core.set_pod(pod, 0.0)
    bound = sum(isinstance(each, Bind) for each in core.decide(0.0, pods))
    seconds = time.perf_counter() - start
    return Row(f"core: {workload}", nodes, bound, seconds)


class ControlPlane:
    """Processes on private ports, and a client of theirs."""

    def __init__(self, client: Client, start: Callable[[str], Any], cpu: Callable[[], dict[str, float]]) -> None:
        self.client = client
        self.start = start
        self.cpu = cpu


IDENTITIES = {
    "apiserver": "system:apiserver",
    "relay": "system:relay",
    "scheduler": "system:kube-scheduler",
}


@asynccontextmanager
async def control_plane(etcd: str, nats: str) -> AsyncIterator[ControlPlane]:
    """An apiserver and a relay; `start("scheduler")` starts the scheduler."""
    processes: dict[str, asyncio.subprocess.Process] = {}
    with tempfile.TemporaryDirectory(prefix="kubus-bench-") as scratch:

        async def start(service: str) -> None:
            variables = {
                "KUBUS_IDENTITY": IDENTITIES[service],
                "KUBUS_ETCD_ENDPOINTS": etcd,
                "KUBUS_NATS_URL": nats,
                "KUBUS_RUN_DIR": scratch,
                "KUBUS_DATA_DIR": scratch,
                "KUBUS_LISTEN": f"127.0.0.1:{free_port()}",
                "KUBUS_LOG_LEVEL": "warning",
            }
            processes[service] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"kubus_{service}", env={**os.environ, **variables}
            )

        def cpu() -> dict[str, float]:
            return {name: _cpu_seconds(process.pid) for name, process in processes.items()}

        bus = await connect(nats, identity="kubernetes-admin")
        try:
            for service in ("apiserver", "relay"):
                await start(service)
            client = BusClient(bus, "kubernetes-admin", manager="bench")
            await _until_answered(client)
            yield ControlPlane(client, start, cpu)
        finally:
            await bus.aclose()
            for process in processes.values():
                process.send_signal(signal.SIGTERM)
            await asyncio.gather(*(process.wait() for process in processes.values()))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _until_answered(client: Client) -> None:
    while True:
        try:
            await client.list(NODES)
            await client.get(NAMESPACES, "", "default")
            return
        except StatusError:
            await asyncio.sleep(0.1)


async def _create_all(client: Client, kind: Any, objects: list[Object]) -> None:
    room = asyncio.Semaphore(128)

    async def create(obj: Object) -> None:
        async with room:
            await client.create(kind, obj)

    async with asyncio.TaskGroup() as tasks:
        for obj in objects:
            tasks.create_task(create(obj))


async def drain_row(workload: str, nodes: int, pods: int, *, at_once: bool = False) -> Row:
    """Pods bound a second: of pods that wait already, or (`at_once`) of pods that are being created."""
    async with etcd_server() as etcd, nats_server() as nats, control_plane(etcd.endpoint, nats.url) as plane:
        await _create_all(plane.client, NODES, [make_node(number) for number in range(nodes)])
        waiting = [make_pod(number, WORKLOADS[workload]) for number in range(pods)]
        watching = await connect(nats.url, identity="kubernetes-admin")
        try:
            if at_once:
                await plane.start("scheduler")
                await _create_all(plane.client, PODS, [make_pod(pods, WORKLOADS[workload])])
                await _bindings(watching, 1)
            else:
                await _create_all(plane.client, PODS, waiting)
            before = plane.cpu()
            async with asyncio.TaskGroup() as tasks:
                counting = tasks.create_task(_bindings(watching, pods))
                await asyncio.sleep(0)
                begun = time.perf_counter()
                if at_once:
                    await _create_all(plane.client, PODS, waiting)
                else:
                    await plane.start("scheduler")
            first, last = counting.result()
            spent = {name: cpu - before.get(name, 0.0) for name, cpu in plane.cpu().items()}
        finally:
            await watching.aclose()
    note = "CPU " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items())
    kind = "create and schedule" if at_once else "drain"
    return Row(f"{kind}: {workload}", nodes, pods, last - (begun if at_once else first), note)


async def _bindings(bus: Any, wanted: int) -> tuple[float, float]:
    """When the first and the last of so many pods were seen bound."""
    subscription = await bus.subscribe(collection_subject("pods.core"))
    seen: set[str] = set()
    first = 0.0
    async for message in subscription:
        event = decode_event(message.data)
        if event.object["spec"].get("nodeName"):
            first = first or time.perf_counter()
            seen.add(event.object["metadata"]["name"])
            if len(seen) == wanted:
                break
    await subscription.aclose()
    return first, time.perf_counter()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pods", type=int, default=5000)
    arguments.add_argument("--nodes", default="1000,5000")
    arguments.add_argument("--core", action="store_true", help="the core only")
    chosen = arguments.parse_args()
    sizes = [int(size) for size in chosen.nodes.split(",")]
    for workload in WORKLOADS:
        for nodes in sizes:
            print(core_row(workload, nodes, chosen.pods), flush=True)
    if chosen.core:
        return
    for nodes in sizes:
        print(asyncio.run(drain_row("plain", nodes, chosen.pods)), flush=True)
        print(asyncio.run(drain_row("plain", nodes, chosen.pods, at_once=True)), flush=True)


if __name__ == "__main__":
    main()
