"""Scheduling: pods that wait are drained, pods that are being created are scheduled, with and without constraints.

etcd, NATS, an apiserver and a relay run; nodes are objects only. For a drain the scheduler starts when all nodes and
pods are there, and the time runs from its first binding to its last, as seen on the bus; for "create and schedule" it
runs already, and the time runs from the first creation. Every workload has its own label, so that those before it on
the same nodes are not in its way but count as what they are: pods that are there.

`python -m bench.scheduling` prints decisions a second of the core alone.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from random import Random
from typing import Any

from bench.clusters import ADMIN, Plane, plane
from bench.figures import Figure
from bench.machine import Meter
from bench.objects import HOST, ZONE, create_all, create_nodes, make_node, make_pod
from kubus.bus import Bus, Message
from kubus.bus.subjects import collection_subject
from kubus.bus.wire import decode_event
from kubus.client import Client
from kubus.client.over_bus import BusClient
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object
from kubus_scheduler.core import Bind, Scheduler

Spec = dict[str, Any]
ALL_TEAMS = {"namespaceSelector": {"matchLabels": {"team": "bench"}}}
WORKLOADS = ("plain", "affinity", "anti-affinity", "spread", "affinity-namespaces", "anti-affinity-namespaces")
TEAMS = 100


def _required(side: str, key: str, app: str, **more: Any) -> Spec:
    term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key, **more}
    return {"affinity": {side: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def spec_of(workload: str) -> Spec:
    """What the pods of a workload require."""
    spread = {"topologyKey": ZONE, "maxSkew": 5, "whenUnsatisfiable": "DoNotSchedule"}
    match workload:
        case "affinity":
            return _required("podAffinity", ZONE, workload)
        case "anti-affinity":
            return _required("podAntiAffinity", HOST, workload)
        case "spread":
            return {"topologySpreadConstraints": [{**spread, "labelSelector": {"matchLabels": {"app": workload}}}]}
        case "affinity-namespaces":
            return _required("podAffinity", ZONE, workload, **ALL_TEAMS)
        case "anti-affinity-namespaces":
            return _required("podAntiAffinity", HOST, workload, **ALL_TEAMS)
        case _:
            return {}


def pods_of(workload: str, count: int, app: str = "") -> list[Object]:
    """The pods of a workload; those whose terms select namespaces live in a hundred of them."""
    wide = workload.endswith("-namespaces")
    return [
        make_pod(number, spec_of(workload), f"team-{number % TEAMS}" if wide else "default", app=app or workload)
        for number in range(count)
    ]


def teams() -> list[Object]:
    """The namespaces of the workloads that select by them."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}", "labels": {"team": "bench"}}}
        for number in range(TEAMS)
    ]


async def scheduling(quick: bool) -> AsyncIterator[Figure]:
    """Drains and floods without constraints on two sizes of cluster, then constraints on the larger."""
    for nodes in (1000, 5000):
        async with plane() as cluster, cluster.bus() as bus:
            stage = Stage(cluster, bus)
            await stage.prepare(nodes // 10 if quick else nodes)
            pods = 500 if quick else 5000
            yield await stage.drain(f"drain-{nodes}", "plain", pods)
            yield await stage.flood(f"schedule-{nodes}", pods)
            if nodes == 5000:
                for workload in WORKLOADS[1:]:
                    yield await stage.drain(workload, workload, pods // 5 * 2)


class Stage:
    """A cluster with nodes, on which one workload after another is scheduled."""

    def __init__(self, cluster: Plane, bus: Bus) -> None:
        self._cluster = cluster
        self._bus = bus
        self._client: Client = BusClient(bus, ADMIN)
        self._nodes = 0

    async def prepare(self, nodes: int) -> None:
        """Create nodes and namespaces."""
        self._nodes = nodes
        await create_nodes(self._client, nodes)
        await create_all(self._client, NAMESPACES, teams())

    async def drain(self, promise: str, workload: str, count: int) -> Figure:
        """Pods wait, then the scheduler comes."""
        await create_all(self._client, PODS, pods_of(workload, count))
        meter = self._meter()
        async with asyncio.TaskGroup() as tasks:
            counting = tasks.create_task(self._bindings(workload, count))
            await asyncio.sleep(0)
            self._cluster.start("scheduler")
        spent = meter.read()
        await self._cluster.stop("scheduler")
        first, last = counting.result()
        return Figure(promise, count / (last - first), f"{count:,} pods on {self._nodes:,} nodes", spent.cores)

    async def flood(self, promise: str, count: int) -> Figure:
        """The scheduler is there when pods come."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._bindings("herald", 1))
            await asyncio.sleep(0)
            self._cluster.start("scheduler")
            await create_all(self._client, PODS, pods_of("plain", 1, "herald"))
        meter = self._meter()
        async with asyncio.TaskGroup() as tasks:
            counting = tasks.create_task(self._bindings("flood", count))
            await asyncio.sleep(0)
            began = time.monotonic()
            await create_all(self._client, PODS, pods_of("plain", count, "flood"))
        spent = meter.read()
        await self._cluster.stop("scheduler")
        _, last = counting.result()
        return Figure(promise, count / (last - began), f"{count:,} pods on {self._nodes:,} nodes", spent.cores)

    async def _bindings(self, app: str, wanted: int) -> tuple[float, float]:
        """When the first and the last of so many pods were seen bound."""
        subscription = await self._bus.subscribe(collection_subject("pods.core"))
        seen: set[tuple[str, str]] = set()
        first = 0.0
        while len(seen) < wanted:
            for message in await subscription.next_batch():
                if not isinstance(message, Message):
                    raise RuntimeError("events were lost")
                pod = decode_event(message.data).object
                metadata = pod["metadata"]
                if pod["spec"].get("nodeName") and metadata["labels"]["app"] == app:
                    first = first or time.monotonic()
                    seen.add((metadata["namespace"], metadata["name"]))
        await subscription.aclose()
        return first, time.monotonic()

    def _meter(self) -> Meter:
        return Meter(lambda: {**self._cluster.pids(), "client": os.getpid()})


def decisions_per_second(workload: str, nodes: int, pods: int) -> float:
    """Of the core alone, with what it is told counted in."""
    core = Scheduler(Random(1))
    for each in teams():
        core.set_namespace(each, 0.0)
    for number in range(nodes):
        core.set_node(make_node(number))
    waiting = pods_of(workload, pods)
    for number, pod in enumerate(waiting):
        pod["metadata"] |= {"uid": f"uid-{number}", "resourceVersion": str(number + 1)}
    began = time.perf_counter()
    for pod in waiting:
        core.set_pod(pod, 0.0)
    bound = sum(isinstance(each, Bind) for each in core.decide(0.0, pods))
    return bound / (time.perf_counter() - began)


if __name__ == "__main__":
    for each in WORKLOADS:
        for size in (1000, 5000):
            sys.stdout.write(f"{each:26} {size:6} nodes {decisions_per_second(each, size, 5000):9.0f} decisions/s\n")
            sys.stdout.flush()
