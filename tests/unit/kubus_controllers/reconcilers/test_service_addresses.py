"""IPAddress: each address that a Service holds is an object of its own."""

from __future__ import annotations

from kubus.model.kinds.ipaddresses import KIND as ADDRESSES
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Object
from kubus.testing.world import World
from kubus_controllers.reconcilers.service_addresses import ALLOTTED_CONTROLLER, RELEASED_CONTROLLER


def service(*addresses: str) -> Object:
    return {"metadata": {"name": "s", "namespace": "d"}, "spec": {"clusterIPs": list(addresses)}}


def names(world: World) -> list[str]:
    return sorted(each["metadata"]["name"] for each in world.list(ADDRESSES))


def settled(world: World) -> World:
    world.settle(ALLOTTED_CONTROLLER, RELEASED_CONTROLLER)
    return world


def test_each_address_has_an_object_that_names_its_service() -> None:
    world = settled(World((SERVICES, service("10.0.0.7", "fd00::7"))))
    assert names(world) == ["10.0.0.7", "fd00::7"]
    first = world.list(ADDRESSES)[0]
    assert first["spec"]["parentRef"] == {"group": "", "resource": "services", "namespace": "d", "name": "s"}
    assert first["metadata"]["labels"]["ipaddress.kubernetes.io/ip-family"] == "IPv4"


def test_a_service_without_an_address_has_none() -> None:
    assert names(settled(World((SERVICES, service("None"))))) == []


def test_an_address_that_is_held_no_longer_goes_but_not_one_made_by_hand() -> None:
    world = settled(World((SERVICES, service("10.0.0.7"))))
    world.remove(SERVICES, "d", "s")
    by_hand = {"metadata": {"name": "10.0.0.8"}, "spec": {"parentRef": {"resource": "services", "name": "x"}}}
    world.put(ADDRESSES, by_hand)
    assert names(settled(world)) == ["10.0.0.8"]
