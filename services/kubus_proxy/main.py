"""The proxy: Services, EndpointSlices and Nodes in; nftables and routes out.

It starts with one transaction that replaces its whole table (so what a proxy before it left behind is gone, and no
packet sees a table half made), then applies differences as they come. What the kernel refuses is left out and all else
is done (`programming`, `routing`). When the proxy stops it leaves everything in place: connections go on without it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from kubus.machinery.informer import Informer, Informers
from kubus.machinery.recorder import Recorder
from kubus.machinery.reflector import Changed
from kubus.model.kinds.endpointslices import KIND as SLICES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Key, Object
from kubus.service import Context, run
from kubus.service.figures import publish_quarantined
from kubus_proxy.kernel import Kernel, KernelRefused
from kubus_proxy.programming import Programming, Say
from kubus_proxy.proxytable import ProxyTable
from kubus_proxy.routes import Ranges
from kubus_proxy.routing import Routing
from kubus_proxy.settings import ProxySettings

RETRY_SECONDS = 1.0
SOURCE = "kube-proxy"


class Proxy:
    """Carries what the informers say into the kernel."""

    def __init__(self, context: Context, settings: ProxySettings, informers: Informers, say: Say) -> None:
        self._context = context
        self._settings = settings
        self._kernel = Kernel(settings.node_netns)
        self._table = ProxyTable(settings.table, settings.pod_cidr, settings.node_name)
        self._programming = Programming(self._table, self._kernel, context.clock, context.log, say)
        ranges = Ranges(settings.pod_cidr, settings.service_cidr)
        self._routing = Routing(self._kernel, settings.node_name, ranges, clock=context.clock, log=context.log, say=say)
        self._nodes = informers.of(NODES)
        self._wake = asyncio.Event()
        self._nodes_changed = True
        self._follow(informers.of(SERVICES), self._table.service_changed)
        self._follow(informers.of(SLICES), self._table.slice_changed)
        self._follow(self._nodes, self._node_changed)

    def _follow(self, informer: Informer, take: Callable[[Key, Object | None], None]) -> None:
        def changed(event: Changed) -> None:
            take(event.key, None if event.change == "deleted" else event.object)
            self._wake.set()

        informer.on_change(changed)

    def _node_changed(self, key: Key, node: Object | None) -> None:
        self._table.node_changed(key, node)
        self._nodes_changed = True

    async def run(self) -> None:
        """Keep the kernel as the Services want it, until cancelled."""
        while True:
            try:
                await self._programming.run_once()
                await self._route()
                self._context.ready()
            except KernelRefused as error:
                self._context.log.error("the kernel takes nothing; trying again", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_seconds()):
                    await self._wake.wait()
            await asyncio.sleep(self._settings.settle_seconds)
            self._wake.clear()

    def _pause_seconds(self) -> float | None:
        """How long to wait for changes; None is for ever."""
        pauses = (self._programming.wait_seconds(), self._routing.wait_seconds())
        return min((each for each in pauses if each is not None), default=None)

    async def _route(self) -> None:
        if self._nodes_changed or self._routing.is_due():
            self._nodes_changed = False
            try:
                await self._routing.bring_up_to_date(list(self._nodes.cache))
            except KernelRefused:
                self._nodes_changed = True
                raise

    def close(self) -> None:
        """Let go of the kernel; the rules stay."""
        self._kernel.close()


async def serve(context: Context) -> None:
    """Run until told to stop."""
    settings = context.read(ProxySettings)
    bus = await context.bus()
    client = context.client(bus)
    informers = Informers(bus, client)
    recorder = Recorder(client, context.clock, settings.node_name)

    def say(about: Object, reason: str, message: str) -> None:
        recorder.record(about, reason, message, "Warning", SOURCE)

    proxy = Proxy(context, settings, informers, say)
    publish_quarantined(context.metrics, lambda: informers.quarantined)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(informers.run()), tasks.create_task(recorder.run())]
            await informers.synced()
            running.append(tasks.create_task(proxy.run()))
            await context.stop.wait()
            for task in running:
                task.cancel()
    finally:
        proxy.close()
        await bus.aclose()


def main() -> int:
    """Entry point of the service."""
    return run("proxy", serve)
