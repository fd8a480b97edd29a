"""The controllers' process: all of them over one set of informers, at work while it holds the Lease.

A stand-by keeps its caches warm and waits; when it takes over, every write it makes carries its term as a fence, so
that a predecessor which does not know yet that it was deposed cannot write any more.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kubus.bus import Bus
from kubus.client import Client
from kubus.machinery.controller import Controllers
from kubus.machinery.leases import Elector, terms_of
from kubus.machinery.recorder import Recorder
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.times import Clock
from kubus.service import Context, run
from kubus.service.figures import publish_quarantined
from kubus_controllers.settings import ControllersSettings
from kubus_controllers.wiring import all_controllers

LEASE = "kube-controller-manager"


@dataclass(frozen=True, slots=True)
class Manager:
    """What a process of controllers consists of."""

    controllers: Controllers
    elector: Elector
    recorder: Recorder

    async def run(self) -> None:
        """Keep the caches, stand for the Lease and work while it is held, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.recorder.run())
            tasks.create_task(self.controllers.informers.run())
            tasks.create_task(self.elector.run(self.controllers.work))


def assemble(
    bus: Bus,
    client: Client,
    settings: ControllersSettings,
    *,
    clock: Clock,
    random: Random,
    instance: str,
    ca: str,
    ca_key: bytes = b"",
    on_state: Callable[[str], None] = lambda _: None,
) -> Manager:
    """All controllers on a bus. With the key of `ca`, certificates are signed.

    `instance` stands for their Lease; `on_state` hears what is waited for, "" while it leads.
    """
    elector = Elector(client, clock, terms_of(LEASE, instance, random), random, on_state=on_state)
    recorder = Recorder(client, clock)
    controllers = Controllers(
        bus,
        client,
        all_controllers(builtin_kinds(), settings, ca, ca_key),
        clock=clock,
        random=random,
        recorder=recorder,
        fence=elector.fence,
    )
    return Manager(controllers, elector, recorder)


async def serve(context: Context) -> None:
    """Run until told to stop."""
    settings = context.read(ControllersSettings)
    ca_file = context.settings.ca_file
    ca = ca_file.read_text() if ca_file is not None else ""
    ca_key = settings.ca_key_file.read_bytes() if settings.ca_key_file is not None else b""
    bus = await context.bus()
    client = context.client(bus)
    manager = assemble(
        bus,
        client,
        settings,
        clock=context.clock,
        random=Random(),
        instance=f"{socket.gethostname()}_{context.instance}",
        ca=ca,
        ca_key=ca_key,
        on_state=context.show,
    )
    publish_quarantined(context.metrics, lambda: manager.controllers.informers.quarantined)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(manager.run())
            await manager.controllers.informers.synced()
            context.ready()
            await context.stop.wait()
            running.cancel()
    finally:
        await bus.aclose()


def main() -> int:
    """Entry point of the service."""
    return run("controllers", serve)
