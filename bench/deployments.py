"""A Deployment of a thousand on a hundred simulated nodes: every service at work, no container.

Its time runs from the request that creates it to the event with which the last pod is Running.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from bench.children import child
from bench.clusters import ADMIN, plane
from bench.figures import Figure, number
from bench.machine import Meter
from kubus.bus import Bus, Message
from kubus.bus.subjects import collection_subject
from kubus.bus.wire import decode_event
from kubus.client.over_bus import BusClient
from kubus.model.kinds.deployments import KIND as DEPLOYMENTS
from kubus.model.objects import Object

WARM = 10
SETTLE_SECONDS = 2.0


def deployment(name: str, replicas: int) -> Object:
    """As `kubectl create deployment` makes it."""
    container = {"name": "web", "image": "pause", "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


async def deployments(quick: bool) -> AsyncIterator[Figure]:
    """The time, and the memory of a simulated node afterwards."""
    nodes, replicas = (10, 100) if quick else (100, 1000)
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(plane("scheduler", "controllers"))
        bus = await stack.enter_async_context(cluster.bus())
        kubelets = await stack.enter_async_context(child("kubelets", {**cluster.endpoint(), "nodes": nodes}))
        kubelets.go()
        await asyncio.sleep(SETTLE_SECONDS)
        await _rolled_out(bus, "warm", WARM)
        pids = {"simulated kubelets": kubelets.pid, "client": os.getpid()}
        meter = Meter(lambda: {**cluster.pids(), **pids})
        first, seconds = await _rolled_out(bus, "web", replicas)
        spent = meter.read()
        detail = f"{replicas:,} pods on {nodes} nodes; the first after {number(first)} s"
        yield Figure("deployment", seconds, detail, spent.cores)
        kubelets.stop()
        memory = await kubelets.result()
    grown = (memory["after"] - memory["before"]) / nodes / 1e6
    detail = f"one process with {nodes} nodes and {replicas:,} pods: {memory['after'] / 1e6:.0f} MB in all"
    yield Figure("node-memory", grown, detail)


async def _rolled_out(bus: Bus, name: str, replicas: int) -> tuple[float, float]:
    """Seconds to the first and to the last pod Running."""
    subscription = await bus.subscribe(collection_subject("pods.core"))
    began, first = time.monotonic(), 0.0
    await BusClient(bus, ADMIN).create(DEPLOYMENTS, deployment(name, replicas))
    running: set[str] = set()
    while len(running) < replicas:
        for message in await subscription.next_batch():
            if not isinstance(message, Message):
                raise RuntimeError("events were lost")
            pod = decode_event(message.data).object
            if pod["metadata"]["labels"].get("app") == name and pod["status"].get("phase") == "Running":
                first = first or time.monotonic()
                running.add(pod["metadata"]["name"])
    await subscription.aclose()
    return first - began, time.monotonic() - began
