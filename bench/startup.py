"""From nothing to a cluster, and what it takes when nothing happens.

A cold start is `kubus up` in an empty home: certificates, etcd, NATS, all services, a node. Whether /readyz answers is
asked every few milliseconds; the pod is created as soon as the API takes it, and its image is on the machine already.
"""

from __future__ import annotations

import asyncio
import http.client
import shutil
import ssl
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from bench.clusters import ADMIN, Running, kubus, start_kubus, whole_cluster
from bench.figures import Figure, number
from bench.machine import Meter, pss_megabytes
from bench.pods import build_image, real_pod
from kubus.bus import Message
from kubus.bus.subjects import collection_subject
from kubus.bus.wire import decode_event
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object
from kubus.testing.etcd_server import free_port
from kubus_cli import clusters

LOOK_SECONDS = 0.005
NOT_CONTROL_PLANE = ("kubelet-", "proxy-")


class Start(NamedTuple):
    """Seconds from the command."""

    ready: float
    running: float


async def startup(quick: bool) -> AsyncIterator[Figure]:
    """Cold starts, then a quiet cluster."""
    build_image()
    starts = [await _cold_start() for _ in range(1 if quick else 3)]
    for promise, seconds in (
        ("cold-ready", [each.ready for each in starts]),
        ("cold-running", [each.running for each in starts]),
    ):
        runs = f"{', '.join(number(each) for each in seconds)} s"
        yield Figure(promise, sorted(seconds)[len(seconds) // 2], f"middle of {runs}")
    async with whole_cluster() as cluster:
        async for figure in _idle(cluster, 3 if quick else 20):
            yield figure


async def _cold_start() -> Start:
    home = Path(tempfile.mkdtemp(prefix="kubus-bench-")) / "home"
    port = free_port()
    began = time.monotonic()
    command = await start_kubus("up", home, "--port", str(port))
    try:
        while not await asyncio.to_thread(_is_ready, port):
            await asyncio.sleep(LOOK_SECONDS)
        ready = time.monotonic() - began
        cluster = clusters.load(home)
        if cluster is None:
            raise RuntimeError("a cluster without cluster.json")
        await _first_pod(Running(cluster))
        return Start(ready, time.monotonic() - began)
    finally:
        await command.wait()
        await kubus("down", home, "--purge")
        shutil.rmtree(home.parent, ignore_errors=True)


def _is_ready(port: int) -> bool:
    trusting = ssl._create_unverified_context()  # no certificate is there to be trusted before the cluster is
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=1, context=trusting)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def _first_pod(cluster: Running) -> None:
    async with cluster.bus() as bus:
        subscription = await bus.subscribe(collection_subject("pods.core"))
        client = BusClient(bus, ADMIN)
        while True:
            try:
                await client.create(PODS, real_pod("first"))
                break
            except StatusError:
                await asyncio.sleep(LOOK_SECONDS)
        while True:
            for message in await subscription.next_batch():
                if isinstance(message, Message) and _is_running(decode_event(message.data).object):
                    return
                if not isinstance(message, Message) and _is_running(await client.get(PODS, "default", "first")):
                    return


def _is_running(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("phase") == "Running")


async def _idle(cluster: Running, seconds: float) -> AsyncIterator[Figure]:
    await asyncio.sleep(seconds)
    meter = Meter(cluster.pids)
    await asyncio.sleep(seconds)
    spent = meter.read()
    pids = cluster.pids()
    memory = {name: pss_megabytes(pid) for name, pid in pids.items()}
    plane = [name for name in pids if not name.startswith(NOT_CONTROL_PLANE)]
    shown = ", ".join(f"{name} {size:.0f}" for name, size in sorted(memory.items(), key=lambda each: -each[1]))
    total = sum(memory[name] for name in plane)
    detail = f"with kubelet and two proxies {sum(memory.values()):.0f} MB: {shown}"
    yield Figure("idle-memory", total, detail)
    percent = 100 * spent.of(*plane) / spent.seconds
    all_percent = 100 * spent.of(*pids) / spent.seconds
    yield Figure("idle-cpu", percent, f"with kubelet and two proxies {all_percent:.1f} %", spent.cores)
