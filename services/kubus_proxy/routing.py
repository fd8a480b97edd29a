"""Keeps the routes to other nodes' pods as their Nodes want them, each for itself.

A Node whose address is not on the link, or whose range is not one that the controllers gave, costs its own route and no
other: it is told by an Event on the Node and tried again after a pause that doubles.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

from kubus.model.objects import Object, name_of
from kubus.model.times import Clock
from kubus.service.logs import Logger
from kubus_proxy.backoff import Backoff
from kubus_proxy.kernel import KernelRefused
from kubus_proxy.programming import Say
from kubus_proxy.routes import (
    Ranges,
    RemoveRoute,
    Routes,
    SetRoute,
    gateways,
    node_addresses,
    own_routes,
    route_changes,
    wanted_routes,
)

INVALID_RANGE = "InvalidPodCIDR"
REFUSED = "FailedToCreateRoute"
"""As upstream's route controller has it."""


class RouteTable(Protocol):
    """A namespace's routes."""

    async def routes(self) -> Routes:
        """Those that proxies have made."""

    async def has_default_route(self) -> bool:
        """Whether there is a route to everywhere."""

    async def change_route(self, change: SetRoute | RemoveRoute) -> None:
        """Set or remove one.

        Raises:
            KernelRefused
        """


class Routing:
    """The routes of one namespace; `own` is the name of its node, "" on a machine that is none."""

    def __init__(self, kernel: RouteTable, own: str, ranges: Ranges, *, clock: Clock, log: Logger, say: Say) -> None:
        self._kernel = kernel
        self._own = own
        self._ranges = ranges
        self._clock = clock
        self._log = log
        self._say = say
        self._refused: Backoff[SetRoute | RemoveRoute] = Backoff()
        self._faulty: set[tuple[str, str]] = set()

    def is_due(self) -> bool:
        """Whether something that was refused is to be tried again."""
        return bool(self._refused.due(self._clock.monotonic()))

    def wait_seconds(self) -> float | None:
        """How long until something refused is due again."""
        return self._refused.wait_seconds(self._clock.monotonic())

    async def bring_up_to_date(self, nodes: Sequence[Object]) -> None:
        """Make the routes what the Nodes want; what the kernel refuses is left out.

        Raises:
            KernelRefused: the routes cannot even be read.
        """
        wanted = wanted_routes(nodes, self._own, self._ranges)
        self._say_faults(wanted.faults)
        addresses = {address for node in nodes for _, address in node_addresses(node)}
        there = own_routes(await self._kernel.routes(), self._ranges, addresses, alone=bool(self._own))
        after = {**wanted.routes, **await self._service_route(nodes, there)}
        changes = route_changes(there, after)
        for forgotten in self._refused.standing() - set(changes):
            self._refused.accept(forgotten)
        due = self._refused.due(self._clock.monotonic())
        for change in changes:
            if change in self._refused.standing() and change not in due:
                continue
            await self._change(change, there, wanted.nodes)

    async def _change(self, change: SetRoute | RemoveRoute, there: Routes, nodes: dict[IPv4Network, Object]) -> None:
        try:
            await self._kernel.change_route(change)
        except KernelRefused as error:
            self._log.warning("the kernel refused a route; it is left out", route=str(change), reason=str(error))
            if self._refused.refuse(change, self._clock.monotonic()) and change.destination in nodes:
                words = f"Could not create the route to {change.destination} via this Node's address: {error}"
                self._say(nodes[change.destination], REFUSED, words)
            if isinstance(change, SetRoute) and change.destination in there:
                await self._change(RemoveRoute(change.destination), {}, {})  # where it led is not its node any more
        else:
            self._refused.accept(change)

    def _say_faults(self, faults: list[tuple[Object, str]]) -> None:
        for node, words in faults:
            if (name_of(node), words) not in self._faulty:
                self._log.warning("a Node's pod range gets no route", node=name_of(node), reason=words)
                self._say(node, INVALID_RANGE, f"No route is made to the pods of this Node: {words}")
        self._faulty = {(name_of(node), words) for node, words in faults}

    async def _service_route(self, nodes: Sequence[Object], there: Routes) -> dict[IPv4Network, IPv4Address]:
        """Service addresses need some route to get as far as the rules; where there is no default one, a node's."""
        usable = [
            each
            for each in gateways(nodes, self._ranges)
            if SetRoute(self._ranges.services, each) not in self._refused.standing()
        ]
        if self._own or not usable or await self._kernel.has_default_route():
            return {}
        standing = there.get(self._ranges.services)
        return {self._ranges.services: standing if standing in usable and standing is not None else usable[0]}
