"""Real pods on real Podman: how long one takes, how many a second, and how many writes each costs.

A start is from the request to the event that says Running and Ready, as seen on the bus, with the image on the machine.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bench.clusters import ADMIN, Running, whole_cluster
from bench.endpoints import endpoints
from bench.figures import Figure, number, percentile, quantiles
from bench.machine import Meter
from bench.objects import create_all
from kubus.bus import Bus, Message, Subscription
from kubus.bus.subjects import collection_subject
from kubus.bus.wire import decode_event
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object

IMAGE = "localhost/kubus-demo:1"
SCRIPT = Path(__file__).parents[1] / "examples" / "build-image"


def build_image() -> None:
    """Have the image of the examples on this machine."""
    subprocess.run([str(SCRIPT), IMAGE], check=True, capture_output=True)


def real_pod(name: str) -> Object:
    """A pod that serves HTTP."""
    container = {"name": "web", "image": IMAGE, "imagePullPolicy": "IfNotPresent"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "bench"}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }


async def pods(quick: bool) -> AsyncIterator[Figure]:
    """One after another, then fifty at once; then Services on the same cluster."""
    build_image()
    async with whole_cluster() as cluster, cluster.bus() as bus:
        await _ready_node(bus)
        async for figure in _measured(cluster, bus, 5 if quick else 25, 10 if quick else 50):
            yield figure
        yield await endpoints(cluster, bus, 20 if quick else 200)


async def _measured(cluster: Running, bus: Bus, single: int, burst: int) -> AsyncIterator[Figure]:
    observer = Observer(await bus.subscribe(collection_subject("pods.core")))
    client = BusClient(bus, ADMIN)
    await _started(client, observer, ["warm"])
    meter = Meter(lambda: {**cluster.pids(), "client": os.getpid()})
    seconds = [await _started(client, observer, [f"one-{turn}"]) for turn in range(single)]
    spent = meter.read()
    detail = f"{quantiles(seconds, 's')}, slowest {number(max(seconds))} s of {single}"
    yield Figure("pod-start-p50", percentile(seconds, 0.5), detail, spent.cores)
    yield Figure("pod-start-p99", percentile(seconds, 0.99), detail)
    await _removed(client)
    meter = Meter(lambda: {**cluster.pids(), "client": os.getpid()})
    took = await _started(client, observer, [f"burst-{turn}" for turn in range(burst)])
    spent = meter.read()
    yield Figure("pod-burst", burst / took, f"{burst} pods in {number(took)} s", spent.cores)
    await _removed(client)
    writes = [observer.writes[name] for name in observer.ready if name != "warm"]
    detail = f"of {len(writes)} pods; at most {max(writes)}. Event objects are not counted"
    yield Figure("pod-writes", sum(writes) / len(writes), detail)


class Observer:
    """Reads the events of pods."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self.ready: set[str] = set()
        self.writes: Counter[str] = Counter()
        """Pod → writes up to the one that said Ready."""

    async def until_ready(self, names: set[str]) -> None:
        """Until all of them have been seen Running and Ready."""
        while not names <= self.ready:
            for message in await self._subscription.next_batch():
                if not isinstance(message, Message):
                    raise RuntimeError("events were lost")
                event = decode_event(message.data)
                self._take(event.object["metadata"]["name"], event.object)

    def _take(self, name: str, pod: Object) -> None:
        if name in self.ready:
            return
        self.writes[name] += 1
        if _is_ready(pod):
            self.ready.add(name)


def _is_ready(pod: Object) -> bool:
    conditions: list[dict[str, Any]] = (pod.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def _started(client: BusClient, observer: Observer, names: list[str]) -> float:
    """Seconds from the first request to the last pod Ready."""
    began = time.monotonic()
    async with asyncio.timeout(120):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(create_all(client, PODS, [real_pod(name) for name in names]))
            tasks.create_task(observer.until_ready(set(names)))
    return time.monotonic() - began


async def _removed(client: BusClient) -> None:
    """Every pod is gone from the API, and so from the node."""
    for pod in (await client.list(PODS, "default")).items:
        try:
            await client.delete(PODS, "default", pod["metadata"]["name"])
        except StatusError as error:
            if error.code != 404:
                raise
    while (await client.list(PODS, "default")).items:
        await asyncio.sleep(0.1)


async def _ready_node(bus: Bus) -> None:
    from kubus.model.kinds.nodes import KIND as NODES  # here: the only use

    client = BusClient(bus, ADMIN)
    while not any(_is_ready(each) for each in (await client.list(NODES)).items):
        await asyncio.sleep(0.05)
