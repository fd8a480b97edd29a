"""Requests over HTTPS: creates, gets and lists, on etcd, NATS, one apiserver and the relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from bench.children import child
from bench.clusters import ADMIN, Plane, plane
from bench.figures import Figure, percentile
from bench.machine import Meter
from bench.objects import create_all, make_pod
from kubus.bus import Bus
from kubus.client.over_bus import BusClient
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Object

NAMESPACE = "bench"


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


async def requests(quick: bool) -> AsyncIterator[Figure]:
    """All of them on one cluster."""
    async with plane() as cluster, cluster.bus() as bus:
        client = BusClient(bus, ADMIN)
        await client.create(NAMESPACES, namespace(NAMESPACE))
        first = 0
        for connections in (32, 128):
            figure, first = await _creates(cluster, connections, first, 1.5 if quick else 6.0)
            yield figure
        metadata = {"name": "wanted", "namespace": NAMESPACE}
        await client.create(
            CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"filler": "x" * 850}}
        )
        for connections in (32, 128):
            yield await _gets(cluster, connections, 1.5 if quick else 5.0)
        yield await _list(cluster, bus, 1000 if quick else 10_000)


async def _creates(cluster: Plane, connections: int, first: int, seconds: float) -> tuple[Figure, int]:
    result, cores = await _loaded(cluster, work="create", connections=connections, first=first, seconds=seconds)
    return _figure(f"create-{connections}", result, cores), first + 4 * int(result["count"]) + 1000


async def _gets(cluster: Plane, connections: int, seconds: float) -> Figure:
    result, cores = await _loaded(cluster, work="get", name="wanted", connections=connections, seconds=seconds)
    return _figure(f"get-{connections}", result, cores)


async def _list(cluster: Plane, bus: Bus, count: int) -> Figure:
    await create_all(BusClient(bus, ADMIN), PODS, [make_pod(number, {}, NAMESPACE) for number in range(count)])
    path = f"/api/v1/namespaces/{NAMESPACE}/pods"
    result, cores = await _loaded(cluster, work="list", path=path, times=10)
    median, first = percentile(result["each"][1:], 0.5), result["each"][0]
    megabytes = result["bytes"] / 1e6
    detail = f"{count:,} pods, {megabytes:.1f} MB; the first, with nothing encoded yet, {first * 1e3:.0f} ms"
    return Figure("list", median * 1e3, detail, cores)


async def _loaded(cluster: Plane, **spec: Any) -> tuple[dict[str, Any], dict[str, float]]:
    """What a load process found, and the cores that each process took meanwhile."""
    async with child("load", {**cluster.endpoint(), "namespace": NAMESPACE, **spec}) as load:
        meter = Meter(lambda: {**cluster.pids(), "client": load.pid})
        load.go()
        result = await load.result()
        cores = meter.read().cores
    await asyncio.sleep(0.5)
    return result, cores


def _figure(promise: str, result: dict[str, Any], cores: dict[str, float]) -> Figure:
    rate = result["count"] / result["seconds"]
    detail = f"p50 {result['p50'] * 1e3:.1f} ms, p99 {result['p99'] * 1e3:.1f} ms"
    ours, theirs = cores["apiserver"] / rate * 1e6, result["cpu"] / result["count"] * 1e6
    detail += f"; CPU a request: apiserver {ours:.0f} µs, client {theirs:.0f} µs"
    if result["failed"]:
        detail += f"; {result['failed']} failed"
    return Figure(promise, rate, detail, cores)
