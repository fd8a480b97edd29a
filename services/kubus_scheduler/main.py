"""The scheduler as a process: informers, leader election, and the driver between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random, SystemRandom

from prometheus_client import Gauge

from kubus.client import Client
from kubus.machinery.informer import Informers
from kubus.machinery.leases import Elector, Terms
from kubus.machinery.recorder import Recorder
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.service import Context, run
from kubus_scheduler.core import Scheduler
from kubus_scheduler.driver import Driver

LEASE = "kube-scheduler"


async def serve(context: Context) -> None:
    """Schedule until told to stop."""
    bus = await context.bus()
    client = context.client(bus)
    try:
        await _schedule(context, Informers(bus, client), client)
    finally:
        await bus.aclose()


async def _schedule(context: Context, informers: Informers, client: Client) -> None:
    random = Random(SystemRandom().getrandbits(64))
    recorder = Recorder(client, context.clock, context.instance)
    holder = f"{context.instance}_{random.getrandbits(64):016x}"
    elector = Elector(client, context.clock, Terms(LEASE, holder), random)
    driver = Driver(Scheduler(random), client, recorder, context.clock, elector.fence)
    pods = informers.of(PODS)
    pods.on_change(driver.heard_pod)
    informers.of(NODES).on_change(driver.heard_node)
    informers.of(NAMESPACES).on_change(driver.heard_namespace)
    _measure(context, driver)

    async def work() -> None:
        await informers.synced()
        context.ready()
        await elector.run(lambda: driver.lead(pods.cache))

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each) for each in (informers.run(), recorder.run(), work())]
        await context.stop.wait()
        for task in reversed(running):
            task.cancel()


def _measure(context: Context, driver: Driver) -> None:
    waiting = Gauge("scheduler_pending_pods", "Pods that wait for a node.", ["queue"], registry=context.metrics)

    def count(place: str) -> Callable[[], float]:
        return lambda: driver.core.queue.counts()[place]

    for place in driver.core.queue.counts():
        waiting.labels(place).set_function(count(place))


def main() -> int:
    """Entry point of the service."""
    return run("scheduler", serve)
