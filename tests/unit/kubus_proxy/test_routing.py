"""Routes, each for itself: what the kernel refuses costs nobody else."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv4Network

from kubus.model.objects import Object
from kubus.service.logs import Logger
from kubus.testing.clock import SimulatedClock, simulate
from kubus_proxy.kernel import KernelRefused, found_routes, route_arguments
from kubus_proxy.routes import Ranges, RemoveRoute, SetRoute
from kubus_proxy.routing import INVALID_RANGE, REFUSED, Routing

from .conftest import Ears

RANGES = Ranges(IPv4Network("10.244.0.0/16"), IPv4Network("10.96.0.0/16"))
LINK = IPv4Network("172.30.0.0/24")


class SmallKernel:
    """Takes routes to gateways on its link."""

    def __init__(self, *, default: bool = True) -> None:
        self.table: dict[IPv4Network, IPv4Address | None] = {}
        self.default = default
        self.link = LINK
        self.tries = 0

    async def routes(self) -> dict[IPv4Network, IPv4Address | None]:
        return dict(self.table)

    async def has_default_route(self) -> bool:
        return self.default

    async def change_route(self, change: SetRoute | RemoveRoute) -> None:
        self.tries += 1
        if isinstance(change, RemoveRoute):
            del self.table[change.destination]
        elif change.gateway in self.link:
            self.table[change.destination] = change.gateway
        else:
            raise KernelRefused("Error: Nexthop has invalid gateway.")

    def shown(self) -> dict[str, str]:
        return {str(destination): str(gateway) for destination, gateway in self.table.items()}


def node(name: str, pod_range: str, address: str) -> Object:
    return {
        "metadata": {"name": name, "creationTimestamp": name},
        "spec": {"podCIDR": pod_range},
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


def routing(kernel: SmallKernel, ears: Ears, own: str = "own") -> Routing:
    return Routing(kernel, own, RANGES, clock=SimulatedClock(), log=Logger("test"), say=ears)


OFF = node("a", "10.244.1.0/24", "192.0.2.1")
ON = node("b", "10.244.2.0/24", "172.30.0.3")


def test_a_node_off_the_link_loses_its_own_route_only_and_is_told_once(ears: Ears) -> None:
    async def story() -> None:
        kernel = SmallKernel()
        routes = routing(kernel, ears)
        for _ in range(3):
            await routes.bring_up_to_date([OFF, ON])
        assert kernel.shown() == {"10.244.2.0/24": "172.30.0.3"}
        assert ears.heard == [("a", REFUSED)]
        assert kernel.tries == 2, "what is refused is not asked for again at once"
        assert not routes.is_due()
        await asyncio.sleep(routes.wait_seconds() or 0)
        assert routes.is_due()
        kernel.link = IPv4Network("0.0.0.0/0")
        await routes.bring_up_to_date([OFF, ON])
        assert kernel.shown() == {"10.244.1.0/24": "192.0.2.1", "10.244.2.0/24": "172.30.0.3"}
        assert routes.wait_seconds() is None

    simulate(story())


def test_a_route_whose_node_moved_off_the_link_does_not_stay(ears: Ears) -> None:
    async def story() -> None:
        kernel = SmallKernel()
        routes = routing(kernel, ears)
        await routes.bring_up_to_date([node("a", "10.244.1.0/24", "172.30.0.2"), ON])
        await routes.bring_up_to_date([OFF, ON])
        assert kernel.shown() == {"10.244.2.0/24": "172.30.0.3"}

    simulate(story())


def test_a_foreign_range_gets_no_route_and_the_one_it_had_is_removed(ears: Ears) -> None:
    async def story() -> None:
        kernel = SmallKernel()
        kernel.table[IPv4Network("10.0.0.0/8")] = IPv4Address("172.30.0.2")
        for own in ("own", ""):
            await routing(kernel, ears, own).bring_up_to_date([node("a", "10.0.0.0/8", "172.30.0.2"), ON])
            assert kernel.shown() == {"10.244.2.0/24": "172.30.0.3"}
            assert ears.heard.pop() == ("a", INVALID_RANGE)
            kernel.table[IPv4Network("10.0.0.0/8")] = IPv4Address("172.30.0.9")

    simulate(story())


def test_services_are_reached_by_some_node_that_is_on_the_link(ears: Ears) -> None:
    async def story() -> None:
        kernel = SmallKernel(default=False)
        routes = routing(kernel, ears, own="")
        await routes.bring_up_to_date([OFF, ON])
        for _ in range(4):
            await asyncio.sleep(routes.wait_seconds() or 0)
            await routes.bring_up_to_date([OFF, ON])
            assert kernel.shown() == {"10.244.2.0/24": "172.30.0.3", "10.96.0.0/16": "172.30.0.3"}
        kernel.default = True
        await routes.bring_up_to_date([OFF, ON])
        assert kernel.shown() == {"10.244.2.0/24": "172.30.0.3"}

    simulate(story())


def test_routes_are_read_and_written_as_ip_does() -> None:
    printed = '[{"dst":"default","gateway":"172.30.0.1"},{"dst":"10.244.1.7","dev":"kb1"},{"dst":"10.244.2.0/24",'
    printed += '"gateway":"172.30.0.3"}]'
    assert found_routes(printed) == {
        IPv4Network("0.0.0.0/0"): IPv4Address("172.30.0.1"),
        IPv4Network("10.244.1.7/32"): None,
        IPv4Network("10.244.2.0/24"): IPv4Address("172.30.0.3"),
    }
    assert found_routes("") == {}
    change = SetRoute(IPv4Network("10.244.2.0/24"), IPv4Address("172.30.0.3"))
    assert route_arguments(change) == ("route", "replace", "10.244.2.0/24", "via", "172.30.0.3", "proto", "75")
    assert route_arguments(RemoveRoute(change.destination)) == ("route", "del", "10.244.2.0/24", "proto", "75")
