"""The controllers' process: all of them over one set of informers, at work while it holds the Lease.

A stand-by keeps its caches warm and waits; when it takes over, every write it makes carries its term as a fence, so
that a predecessor which does not know yet that it was deposed cannot write any more.
"""

from __future__ import annotations

import asyncio
import socket
from random import Random

from kubus.machinery.controller import Controllers
from kubus.machinery.leases import Elector, Terms
from kubus.machinery.recorder import Recorder
from kubus.model.kinds.builtin import builtin_kinds
from kubus.service import Context, run
from kubus_controllers.settings import ControllersSettings
from kubus_controllers.wiring import all_controllers

LEASE = "kube-controller-manager"


async def serve(context: Context) -> None:
    """Run until told to stop."""
    settings = context.read(ControllersSettings)
    ca_file = context.settings.ca_file
    ca = ca_file.read_text() if ca_file is not None else ""
    bus = await context.bus()
    client = context.client(bus)
    random = Random()
    elector = Elector(client, context.clock, Terms(LEASE, f"{socket.gethostname()}_{context.instance}"), random)
    recorder = Recorder(client, context.clock)
    controllers = Controllers(
        bus,
        client,
        all_controllers(builtin_kinds(), settings, ca),
        clock=context.clock,
        random=random,
        recorder=recorder,
        fence=elector.fence,
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(recorder.run()),
                tasks.create_task(controllers.informers.run()),
                tasks.create_task(elector.run(controllers.work)),
            ]
            await controllers.informers.synced()
            context.ready()
            await context.stop.wait()
            for task in running:
                task.cancel()
    finally:
        await bus.aclose()


def main() -> int:
    """Entry point of the service."""
    return run("controllers", serve)
