"""The scheduler as a process: informers, leader election, and the driver between them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from random import Random, SystemRandom

from prometheus_client import Gauge

from kubus.bus import Bus
from kubus.client import Client
from kubus.machinery.informer import Informers
from kubus.machinery.leases import Elector, terms_of
from kubus.machinery.recorder import Recorder
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.times import Clock
from kubus.service import Context, run
from kubus.service.figures import publish_quarantined
from kubus_scheduler.core import Scheduler
from kubus_scheduler.driver import Driver

LEASE = "kube-scheduler"


@dataclass(frozen=True, slots=True)
class Assembled:
    """What a scheduler process consists of."""

    informers: Informers
    driver: Driver
    elector: Elector
    recorder: Recorder

    async def run(self) -> None:
        """Keep the caches, stand for the Lease and schedule while it is held, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.informers.run())
            tasks.create_task(self.recorder.run())
            await self.informers.synced()
            pods = self.informers.of(PODS).cache
            tasks.create_task(self.elector.run(lambda: self.driver.lead(pods)))


def assemble(
    bus: Bus,
    client: Client,
    *,
    clock: Clock,
    random: Random,
    instance: str,
    on_state: Callable[[str], None] = lambda _: None,
) -> Assembled:
    """A scheduler on a bus. `on_state` hears what it waits for, "" while it leads."""
    informers = Informers(bus, client)
    recorder = Recorder(client, clock, instance)
    elector = Elector(client, clock, terms_of(LEASE, instance, random), random, on_state=on_state)
    driver = Driver(Scheduler(random), client, recorder, clock, elector.fence)
    informers.of(PODS).on_change(driver.heard_pod)
    informers.of(NODES).on_change(driver.heard_node)
    informers.of(NAMESPACES).on_change(driver.heard_namespace)
    return Assembled(informers, driver, elector, recorder)


async def serve(context: Context) -> None:
    """Schedule until told to stop."""
    bus = await context.bus()
    random = Random(SystemRandom().getrandbits(64))
    scheduler = assemble(
        bus,
        context.client(bus),
        clock=context.clock,
        random=random,
        instance=f"{socket.gethostname()}_{context.instance}",
        on_state=context.show,
    )
    _measure(context, scheduler.driver)
    publish_quarantined(context.metrics, lambda: scheduler.informers.quarantined)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(scheduler.run())
            await scheduler.informers.synced()
            context.ready()
            await context.stop.wait()
            running.cancel()
    finally:
        await bus.aclose()


def _measure(context: Context, driver: Driver) -> None:
    waiting = Gauge("scheduler_pending_pods", "Pods that wait for a node.", ["queue"], registry=context.metrics)

    def count(place: str) -> Callable[[], float]:
        return lambda: driver.core.queue.counts()[place]

    for place in driver.core.queue.counts():
        waiting.labels(place).set_function(count(place))


def main() -> int:
    """Entry point of the service."""
    return run("scheduler", serve)
