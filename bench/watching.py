"""Watches: what an event costs the servers, and how long after the acknowledgement it is there.

Fan-out counts the events that all listeners together received, by the CPU that the servers took: over HTTP the
apiserver, over the bus relay and nats-server. Latency is from the moment the writer had its answer to the moment a
listener had the event; it is negative where the event was first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from bench.children import child
from bench.clusters import ADMIN, Plane, plane
from bench.figures import Figure, number, quantiles
from bench.figures import percentile as at
from bench.machine import Meter, Spent
from bench.requests import namespace
from kubus.client.over_bus import BusClient
from kubus.model.kinds.namespaces import KIND as NAMESPACES

SETTLE_SECONDS = 2.0
SERVERS = {"http": ("apiserver",), "bus": ("relay", "nats")}


async def watching(quick: bool) -> AsyncIterator[Figure]:
    """All of them on one cluster."""
    async with plane() as cluster:
        for over in ("http", "bus"):
            yield await _fan_out(cluster, over, 100 if quick else 1000, 2 if quick else 8)
        for over, listeners in (("http", 100), ("bus", 10)):
            yield await _latency(cluster, over, listeners, 2 if quick else 6)


async def _fan_out(cluster: Plane, over: str, listeners: int, seconds: float) -> Figure:
    heard, written, spent = await _heard(cluster, over, listeners, 60, seconds, sampled=0)
    servers = spent.of(*SERVERS[over])
    each_second = heard["events"] / written["seconds"]
    detail = f"{listeners:,} listeners, {written['count'] / written['seconds']:.0f} writes/s: "
    detail += f"{number(each_second)} events/s for {' and '.join(SERVERS[over])}"
    if heard["lost"] or heard["events"] != listeners * written["count"]:
        detail += f"; {heard['lost']} listeners lost, {heard['events']} of {listeners * written['count']} events came"
    return Figure(f"fanout-{over}", heard["events"] / servers, detail, spent.cores)


async def _latency(cluster: Plane, over: str, listeners: int, seconds: float) -> Figure:
    heard, written, spent = await _heard(cluster, over, listeners, 500, seconds, sampled=min(listeners, 10))
    acknowledged = {int(each): when for each, when in written["acknowledged"]}
    waits = [when - acknowledged[int(each)] for one in heard["heard"] for each, when in one]
    detail = f"{quantiles(waits)}, of {len(waits):,} events at 10 of {listeners} listeners; "
    detail += (
        f"{written['count'] / written['seconds']:.0f} writes/s, each answered in p99 {written['p99'] * 1e3:.1f} ms"
    )
    return Figure("watch-latency" if over == "http" else "bus-latency", at(waits, 0.99) * 1e3, detail, spent.cores)


async def _heard(
    cluster: Plane, over: str, listeners: int, rate: int, seconds: float, *, sampled: int
) -> tuple[dict[str, Any], dict[str, Any], Spent]:
    """What listeners heard, what the writer wrote, and what it cost."""
    name = f"{over}-{listeners}-{rate}"
    async with cluster.bus() as bus:
        made = await BusClient(bus, ADMIN).create(NAMESPACES, namespace(name))
    common = {**cluster.endpoint(), "namespace": name, "revision": made["metadata"]["resourceVersion"]}
    listening = {**common, "over": over, "count": listeners, "sampled": sampled}
    writing = {**common, "work": "paced", "connections": 64, "rate": rate, "seconds": seconds}
    async with child("watchers", listening) as hearing, child("load", writing) as load:
        hearing.go()
        await asyncio.sleep(SETTLE_SECONDS)
        meter = Meter(lambda: {**cluster.pids(), "listeners": hearing.pid, "client": load.pid})
        load.go()
        written = await load.result()
        await asyncio.sleep(SETTLE_SECONDS)
        spent = meter.read()
        hearing.stop()
        return await hearing.result(), written, spent
