"""From "this pod is ready" to the rule in the kernel: controllers, relay, bus, proxy and nftables.

A Service selects pods that exist as objects only, on a node without a kubelet. One after another is said to be ready,
and `nft monitor` on the host, where a proxy runs too, tells when a rule with its address has been made.
"""

from __future__ import annotations

import asyncio
import os
import time

from bench.clusters import ADMIN, Running
from bench.figures import Figure, percentile, quantiles
from bench.kubelets import Node, running
from bench.machine import Meter
from kubus.bus import Bus
from kubus.client.over_bus import BusClient
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object

NAMESPACE = "default"
SERVICES_COUNT = 20
WAIT_SECONDS_MAX = 20.0


async def endpoints(cluster: Running, bus: Bus, count: int) -> Figure:
    """So many pods become ready, one by one."""
    client = BusClient(bus, ADMIN)
    await Node(0, bus, client).register()
    monitor = await asyncio.create_subprocess_exec(
        "nft", "monitor", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=1 << 24
    )
    try:
        for number in range(SERVICES_COUNT):
            await client.create(SERVICES, _service(f"svc-{number}"))
        seen = Seen(monitor)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(seen.read())
            meter = Meter(lambda: {**cluster.pids(), "client": os.getpid()})
            waits = [await _one(client, seen, number) for number in range(count)]
            spent = meter.read()
            reading.cancel()
    finally:
        monitor.kill()
        await monitor.wait()
    detail = f"{quantiles(waits)}, of {count} over {SERVICES_COUNT} services"
    return Figure("endpoint-rule", percentile(waits, 0.99) * 1e3, detail, spent.cores)


class Seen:
    """Addresses that are waited for in what nft reports."""

    def __init__(self, monitor: asyncio.subprocess.Process) -> None:
        self._monitor = monitor
        self._waiting: dict[str, asyncio.Future[float]] = {}

    def expect(self, address: str) -> asyncio.Future[float]:
        """When a rule with this address has been made."""
        future = self._waiting[f" {address} . "] = asyncio.get_running_loop().create_future()
        return future

    async def read(self) -> None:
        """Read what nft reports, for ever."""
        if self._monitor.stdout is None:
            raise RuntimeError("nft monitor without output")
        async for line in self._monitor.stdout:
            text = line.decode()
            if text.startswith(("add rule", "replace rule", "add element")):
                for address in [each for each in self._waiting if each in text]:
                    self._waiting.pop(address).set_result(time.monotonic())


def _service(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"service": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


async def _one(client: BusClient, seen: Seen, number: int) -> float:
    """Seconds from the acknowledgement that a pod is ready to the rule."""
    name, address = f"endpoint-{number}", f"192.0.2.{number % 250 + 1}"
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"service": f"svc-{number % SERVICES_COUNT}"}},
        "spec": {"nodeName": "node-0", "containers": [{"name": "c", "image": "none"}]},
    }
    made = await client.create(PODS, pod)
    arrived = seen.expect(address)
    await client.patch(PODS, NAMESPACE, name, {"status": running(made, address)}, subresource="status")
    acknowledged = time.monotonic()
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        return await arrived - acknowledged
