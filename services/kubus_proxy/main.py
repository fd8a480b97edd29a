"""The proxy: Services, EndpointSlices and Nodes in; nftables and routes out.

It starts with one transaction that replaces its whole table (so what a proxy before it left behind is gone, and no
packet sees a table half made), then applies differences as they come. Should the kernel ever refuse one, the whole
table is made anew. When the proxy stops it leaves everything in place: connections go on without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kubus.machinery.informer import Informer, Informers
from kubus.machinery.reflector import Changed
from kubus.model.kinds.endpointslices import KIND as SLICES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Key, Object
from kubus.service import Context, run
from kubus.service.figures import publish_quarantined
from kubus_proxy.kernel import Kernel, KernelRefused
from kubus_proxy.proxytable import ProxyTable
from kubus_proxy.routes import internal_address, own_routes, route_commands, wanted_routes
from kubus_proxy.settings import ProxySettings

RETRY_SECONDS = 1.0


class Proxy:
    """Carries what the informers say into the kernel."""

    def __init__(self, context: Context, settings: ProxySettings, informers: Informers) -> None:
        self._context = context
        self._settings = settings
        self._kernel = Kernel(settings.node_netns)
        self._table = ProxyTable(settings.table, str(settings.pod_cidr), settings.node_name)
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
        whole = True
        while True:
            try:
                commands = self._table.whole() if whole else self._table.commands()
                if commands:
                    await self._kernel.transact(commands)
                whole = False
                await self._route()
                self._context.ready()
            except KernelRefused as error:
                self._context.log.error("the kernel refused a change; the table is made anew", reason=str(error))
                whole = True
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await self._wake.wait()
            await asyncio.sleep(self._settings.settle_seconds)
            self._wake.clear()

    async def _route(self) -> None:
        if not self._nodes_changed:
            return
        self._nodes_changed = False
        nodes = list(self._nodes.cache)
        try:
            wanted = wanted_routes(nodes, self._settings.node_name)
            wanted.update(await self._service_route(nodes))
            ranges = (self._settings.pod_cidr, self._settings.service_cidr)
            there = own_routes(await self._kernel.routes(), ranges)
            for command in route_commands(there, wanted):
                await self._kernel.ip(*command)
        except KernelRefused:
            self._nodes_changed = True
            raise

    async def _service_route(self, nodes: list[Object]) -> dict[str, str]:
        """Service addresses need some route to get as far as the rules; where there is no default one, a node's."""
        default = await self._kernel.ip("route", "show", "default")
        gateways = [address for node in nodes if (address := internal_address(node))]
        if default.strip() or not gateways or self._settings.node_name:
            return {}
        return {str(self._settings.service_cidr): min(gateways)}

    def close(self) -> None:
        """Let go of the kernel; the rules stay."""
        self._kernel.close()


async def serve(context: Context) -> None:
    """Run until told to stop."""
    settings = context.read(ProxySettings)
    bus = await context.bus()
    informers = Informers(bus, context.client(bus))
    proxy = Proxy(context, settings, informers)
    publish_quarantined(context.metrics, lambda: informers.quarantined)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(informers.run())]
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
