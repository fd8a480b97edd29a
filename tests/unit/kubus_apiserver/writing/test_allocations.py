"""ClusterIPs and node ports are given once."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Network
from random import Random
from typing import Any

import pytest

from kubus.model.codec import pack
from kubus.model.errors import StatusError
from kubus.model.kinds.services import KIND as SERVICES
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.service.clocks import SystemClock
from kubus.store.memory import MemoryStore
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.writing.allocations import ROOT, Allocations, keys_of


def service(name: str = "s", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "d"},
        "spec": {"type": "ClusterIP", "ports": [{"port": 80}], **spec},
    }


class Cluster:
    """A store, and allocators that do not hear of one another but through it."""

    def __init__(self, cidr: str = "10.0.0.0/24", ports: range = range(30000, 30010)) -> None:
        self.store = MemoryStore(SystemClock())
        self.cidr, self.ports = IPv4Network(cidr), ports

    def allocations(self, seed: int = 1) -> Allocations:
        cache = WatchCache()
        return Allocations(self.store, cache, Random(seed), service_cidr=self.cidr, node_ports=self.ports)

    async def taken(self) -> set[str]:
        return {item.key for item in (await self.store.page(ROOT)).items}


async def assign(allocations: Allocations, obj: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    async with allocations.assigned(SERVICES, obj, old):
        return obj["spec"]


async def test_two_servers_that_choose_alike_give_different_addresses() -> None:
    cluster = Cluster()
    servers = [cluster.allocations(seed=7) for _ in range(4)]
    specs = await asyncio.gather(*(assign(each, service(f"s{n}")) for n, each in enumerate(servers)))
    assert len({spec["clusterIP"] for spec in specs}) == 4


async def test_every_address_can_be_given_and_none_twice() -> None:
    cluster = Cluster("10.0.0.0/28")
    allocations = cluster.allocations()
    given: list[str] = []
    with pytest.raises(StatusError, match="range is full"):
        for number in range(20):
            given.append((await assign(allocations, service(f"s{number}")))["clusterIP"])
    assert len(given) == len(set(given)) >= 10


async def test_a_service_that_is_refused_gives_back_what_it_took() -> None:
    cluster = Cluster()
    with pytest.raises(ValueError, match="refused"):
        async with cluster.allocations().assigned(SERVICES, service(type="NodePort"), None):
            assert len(await cluster.taken()) == 2
            raise ValueError("refused")
    assert not await cluster.taken()


async def test_headless_and_external_services_take_nothing() -> None:
    cluster = Cluster()
    assert (await assign(cluster.allocations(), service(clusterIP="None")))["clusterIPs"] == ["None"]
    await assign(cluster.allocations(), service(type="ExternalName", externalName="example.com"))
    assert not await cluster.taken()


async def test_a_service_that_is_no_node_port_any_more_gives_the_port_back() -> None:
    cluster, old = Cluster(), service(type="NodePort")
    allocations = cluster.allocations()
    await assign(allocations, old)
    new = service(clusterIP=old["spec"]["clusterIP"])
    await assign(allocations, new, old)
    assert await cluster.taken() == keys_of(new)
    await allocations.release(SERVICES, new)
    assert not await cluster.taken()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"clusterIP": "10.9.9.9"}, "is not in the valid range"),
        ({"clusterIP": "x"}, "is not in the valid range"),
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}, "The range of valid ports is 30000-30009"),
    ],
)
async def test_what_cannot_be_given_is_refused(spec: dict[str, Any], words: str) -> None:
    with pytest.raises(StatusError) as refused:
        await assign(Cluster().allocations(), service(**spec))
    assert (refused.value.code, words in refused.value.message) == (422, True)


async def test_a_port_over_tcp_and_udp_is_one_node_port() -> None:
    ports = [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}, {"port": 80, "protocol": "TCP"}]
    spec = await assign(Cluster().allocations(), service(type="NodePort", ports=ports))
    given = [port["nodePort"] for port in spec["ports"]]
    assert given[0] == given[1] != given[2]


async def test_what_a_crash_left_behind_is_found(core: Any) -> None:
    await core.store.create(f"{ROOT}addresses/10.96.9.9", b"\x92\xa1d\xa4gone")
    await core.freshness.consistent()
    await core.allocations.release_leftovers(0)
    kept = {item.key for item in (await core.store.page(ROOT)).items}
    assert kept == {f"{ROOT}addresses/10.96.0.1"}


async def test_an_address_asked_for_by_number_is_still_its_own_after_a_crash() -> None:
    cluster = Cluster()
    wanted = {"clusterIP": "10.0.0.1"}
    await cluster.store.create(f"{ROOT}addresses/10.0.0.1", pack(["d", "s"]))  # a try that got no further
    assert (await assign(cluster.allocations(), service(**wanted)))["clusterIP"] == "10.0.0.1"
    with pytest.raises(StatusError, match="already allocated"):
        await assign(cluster.allocations(), service("another", **wanted))


async def test_who_loses_a_race_for_a_name_gives_nothing_of_the_winners_back() -> None:
    cluster = Cluster()
    wanted = service(clusterIP="10.0.0.1")
    with pytest.raises(ValueError, match="exists"):
        async with cluster.allocations().assigned(SERVICES, wanted, None):
            winner = encode_record(Note("a", "b", "create", 1), wanted)
            await cluster.store.create(store_key(Key("services.core", "d", "s")), winner)
            raise ValueError("exists")
    assert await cluster.taken() == {f"{ROOT}addresses/10.0.0.1"}


async def test_a_service_goes_through_all_its_types_and_leaves_nothing_behind(api) -> None:
    url = "/api/v1/namespaces/default/services"
    manifest = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    before = {item.key for item in (await api.core.store.page(ROOT)).items}
    address = (await api.ok("POST", url, manifest))["spec"]["clusterIP"]

    async def patched(**spec: Any) -> dict[str, Any]:
        media = "application/merge-patch+json"
        return (await api.ok("PATCH", f"{url}/s", {"spec": spec}, content_type=media))["spec"]

    on_nodes = await patched(type="NodePort")
    number = on_nodes["ports"][0]["nodePort"]
    balanced = await patched(type="LoadBalancer", externalTrafficPolicy="Local")
    assert (balanced["clusterIP"], balanced["ports"][0]["nodePort"]) == (address, number)
    assert balanced["healthCheckNodePort"] not in (0, number)
    held = {item.key for item in (await api.core.store.page(ROOT)).items} - before
    assert held == {
        f"{ROOT}addresses/{address}",
        f"{ROOT}ports/{number}",
        f"{ROOT}ports/{balanced['healthCheckNodePort']}",
    }
    plain = await patched(type="ClusterIP")
    assert plain["clusterIP"] == address
    assert {item.key for item in (await api.core.store.page(ROOT)).items} - before == {f"{ROOT}addresses/{address}"}
    external = await patched(type="ExternalName", externalName="example.com")
    assert "clusterIP" not in external
    assert {item.key for item in (await api.core.store.page(ROOT)).items} == before
    assert (await patched(type="ClusterIP"))["clusterIP"]


async def test_the_health_check_port_that_is_asked_for_is_given_once() -> None:
    cluster = Cluster()
    allocations = cluster.allocations()
    wanted = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30005}
    assert (await assign(allocations, service("a", **wanted)))["healthCheckNodePort"] == 30005
    with pytest.raises(StatusError, match="healthCheckNodePort: Invalid value: 30005: provided port is already"):
        await assign(allocations, service("b", **wanted))


async def test_a_dry_run_shows_address_and_ports_and_keeps_nothing(api) -> None:
    url = "/api/v1/namespaces/default/services"
    ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    manifest = {"metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": ports}}
    before = {item.key for item in (await api.core.store.page(ROOT)).items}
    shown = (await api.ok("POST", f"{url}?dryRun=All", manifest))["spec"]
    assert shown["clusterIPs"] == [shown["clusterIP"]]
    assert len({port["nodePort"] for port in shown["ports"]}) == 2
    assert {item.key for item in (await api.core.store.page(ROOT)).items} == before
    made = await api.ok("POST", url, {**manifest, "spec": {"ports": ports}})
    media = "application/merge-patch+json"
    patch = {"spec": {"type": "NodePort"}}
    shown = (await api.ok("PATCH", f"{url}/s?dryRun=All", patch, content_type=media))["spec"]
    assert all(port["nodePort"] for port in shown["ports"])
    taken = {"metadata": {"name": "t"}, "spec": {"clusterIP": made["spec"]["clusterIP"], "ports": ports}}
    assert "provided IP is already allocated" in (await api("POST", f"{url}?dryRun=All", taken)).message
