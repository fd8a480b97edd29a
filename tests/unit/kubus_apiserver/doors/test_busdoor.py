"""The API over a bus, as services use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kubus.bus import RequestTimeout
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client import Why
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.records import decode_record
from kubus.service.logs import Logger
from kubus_apiserver.core import Core
from kubus_apiserver.doors import busdoor
from kubus_apiserver.doors.busdoor import BusDoor

SCHEDULER = "system:kube-scheduler"
CONTROLLERS = "system:kube-controller-manager"
POD = {
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "busybox"}]},
}


class Services:
    """Clients under several identities."""

    def __init__(self, core: Core, broker: MemoryBroker) -> None:
        self.core = core
        self._broker = broker

    def client(self, identity: str = CONTROLLERS) -> BusClient:
        return BusClient(MemoryBus(self._broker, identity), identity, patience_seconds=0)

    def kind(self, collection: str) -> Kind:
        return self.core.registry[collection]


@pytest.fixture
async def services(core: Core) -> AsyncIterator[Services]:
    bus = MemoryBus()
    served = await BusDoor(core, Logger("test")).serve(bus)
    yield Services(core, bus.broker)
    await served.aclose()
    await bus.aclose()


async def test_a_service_creates_reads_changes_and_deletes(services: Services) -> None:
    client, pods = services.client(), services.kind("pods.core")
    made = await client.create(pods, POD)
    assert made["metadata"]["resourceVersion"]
    assert await client.get(pods, "default", "p") == made
    patched = await client.patch(pods, "default", "p", {"metadata": {"labels": {"a": "b"}}})
    assert patched["metadata"]["labels"] == {"a": "b"}
    listing = await client.list(pods, "default", label_selector="a=b")
    assert [each["metadata"]["name"] for each in listing.items] == ["p"]
    assert listing.revision >= int(patched["metadata"]["resourceVersion"])
    await client.delete(pods, "default", "p")
    with pytest.raises(StatusError) as refused:
        await client.get(pods, "default", "p")
    assert refused.value.code == 404


async def test_a_bus_that_is_away_at_the_start_is_waited_for(core: Core) -> None:
    """Found by seed 1080: the apiserver ended when the bus was lost in the moment before it served."""
    bus = MemoryBus()
    bus.broker.disconnect(bus)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(BusDoor(core, Logger("test")).serve(bus))
        await asyncio.sleep(0.05)
        bus.broker.reconnect(bus)
        await serving
    made = await Services(core, bus.broker).client().create(core.registry["pods.core"], POD)
    assert made["metadata"]["uid"]
    await bus.aclose()


async def test_a_write_keeps_who_made_it_and_what_led_to_it(services: Services) -> None:
    await services.client().create(services.kind("pods.core"), POD, why=Why(cause=7, manager="replicaset"))
    note = decode_record((await services.core.store.get("/kubus/pods.core/default/p")).value).note
    assert (note.by, note.manager, note.verb, note.cause) == (CONTROLLERS, "replicaset", "create", 7)


async def test_a_scheduler_binds_and_may_not_do_more(services: Services) -> None:
    pods = services.kind("pods.core")
    await services.client().create(pods, POD)
    scheduler = services.client(SCHEDULER)
    binding = {"metadata": {"name": "p", "namespace": "default"}, "target": {"kind": "Node", "name": "n1"}}
    bound = await scheduler.create(pods, binding, subresource="binding", name="p", why=Why(cause=3))
    assert bound["spec"]["nodeName"] == "n1"
    assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
    with pytest.raises(StatusError) as refused:
        await scheduler.create(pods, POD)
    assert refused.value.code == 403


async def test_a_kubelet_writes_status_and_ends_pods(services: Services) -> None:
    pods = services.kind("pods.core")
    made = await services.client().create(pods, {**POD, "spec": {**POD["spec"], "nodeName": "n1"}})
    kubelet = services.client("system:node:n1")
    status = {"status": {"phase": "Running", "podIP": "10.244.0.2"}}
    running = await kubelet.patch(pods, "default", "p", status, subresource="status")
    assert running["status"]["phase"] == "Running"
    options = {"gracePeriodSeconds": 0, "preconditions": {"uid": made["metadata"]["uid"]}}
    await kubelet.delete(pods, "default", "p", options=options)
    assert await services.core.store.get("/kubus/pods.core/default/p") is None


async def test_a_deposed_leader_cannot_write(services: Services) -> None:
    client, leases, maps = (
        services.client(),
        services.kind("leases.coordination.k8s.io"),
        services.kind("configmaps.core"),
    )
    lease = {
        "metadata": {"name": "l", "namespace": "kube-system"},
        "spec": {"holderIdentity": "a", "leaseTransitions": 1, "leaseDurationSeconds": 15},
    }
    held = await client.create(leases, lease)
    fence = ("kube-system", "l", "a", 1)
    await client.create(maps, {"metadata": {"name": "m", "namespace": "default"}}, why=Why(fence=fence))
    renewed = await client.update(leases, {**held, "spec": {**held["spec"], "leaseDurationSeconds": 16}})
    await client.patch(maps, "default", "m", {"data": {"a": "1"}}, why=Why(fence=fence))
    taken = {**renewed["spec"], "holderIdentity": "b", "leaseTransitions": 2}
    await client.update(leases, {**renewed, "spec": taken})
    with pytest.raises(StatusError) as refused:
        await client.patch(maps, "default", "m", {"data": {"a": "2"}}, why=Why(fence=fence))
    assert (refused.value.code, "leadership of kube-system/l was lost" in refused.value.message) == (409, True)


async def test_long_lists_come_in_pages_and_whole(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    client, maps = services.client(), services.kind("configmaps.core")
    for number in range(5):
        await client.create(
            maps, {"metadata": {"name": f"m{number}", "namespace": "default"}, "data": {"k": "v" * 200}}
        )
    monkeypatch.setattr(busdoor, "PAGE_BYTES", 500)
    listing = await client.list(maps, "default")
    assert [each["metadata"]["name"] for each in listing.items] == [f"m{number}" for number in range(5)]


async def test_what_cannot_be_read_is_refused(services: Services) -> None:
    bus = MemoryBus(services._broker, "x")
    from kubus.bus.wire import decode_reply

    code, status = decode_reply(await bus.request("kubus.api.x.get.pods.core", b"nonsense"))
    assert (code, status["kind"]) == (400, "Status")
    code, _ = decode_reply(await bus.request("kubus.api.x.fly.pods.core", b""))
    assert code == 404


async def test_a_reply_goes_nowhere_but_home(services: Services) -> None:
    thief = MemoryBus(services._broker, "thief")
    with pytest.raises(RequestTimeout):
        await thief.request("kubus.api.x.get.pods.core", b"nonsense", timeout_seconds=0.1)
