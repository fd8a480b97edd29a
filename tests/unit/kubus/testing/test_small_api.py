"""The small API behaves like the large one where tests rely on it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kubus.bus import Message
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.wire import decode_beat, decode_event
from kubus.client import Why
from kubus.client.over_bus import BusClient
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.objects import Key, name_of, revision_of, uid_of, with_revision
from kubus.testing.builders import config_map, pod
from kubus.testing.clock import simulate
from kubus.testing.small_api import SmallApi

PODS = Kind(group="", version="v1", name="Pod", plural="pods", namespaced=True, schema="")
MAPS = Kind(group="", version="v1", name="ConfigMap", plural="configmaps", namespaced=True, schema="")


class Stage:
    def __init__(self) -> None:
        broker = MemoryBroker()
        self.bus = MemoryBus(broker)
        self.api = SmallApi(MemoryBus(broker), page_items=2)
        self.client = BusClient(self.bus, "test", patience_seconds=0)


def on_stage(story: Callable[[Stage], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    async def told() -> None:
        stage = Stage()
        await stage.api.serve()
        await story(stage)

    def test() -> None:
        simulate(told())

    test.__name__ = story.__name__
    return test


async def refused(reason: str, attempt: Coroutine[Any, Any, Any]) -> None:
    with pytest.raises(StatusError) as raised:
        await attempt
    assert raised.value.reason == reason


@on_stage
async def test_objects_live_as_objects_do(stage: Stage) -> None:
    created = await stage.client.create(MAPS, config_map("m"))
    assert uid_of(created) and revision_of(created)
    await refused("AlreadyExists", stage.client.create(MAPS, config_map("m")))
    updated = await stage.client.update(MAPS, {**created, "data": {"a": "b"}})
    assert revision_of(updated) > revision_of(created)
    assert uid_of(updated) == uid_of(created)
    await refused("Conflict", stage.client.update(MAPS, created))
    patched = await stage.client.patch(MAPS, "default", "m", {"data": {"a": None, "c": "d"}})
    assert patched["data"] == {"c": "d"}
    await refused("Conflict", stage.client.delete(MAPS, "default", "m", options={"preconditions": {"uid": "other"}}))
    await stage.client.delete(MAPS, "default", "m", options={"preconditions": {"uid": uid_of(created)}})
    await refused("NotFound", stage.client.get(MAPS, "default", "m"))


@on_stage
async def test_a_status_update_changes_the_status_only(stage: Stage) -> None:
    await stage.client.create(PODS, pod("p"))
    await stage.client.update(PODS, {**pod("p", image="other"), "status": {"phase": "Running"}}, subresource="status")
    there = await stage.client.get(PODS, "default", "p")
    assert (there["status"], there["spec"]["containers"][0]["image"]) == ({"phase": "Running"}, "busybox")


@on_stage
async def test_listings_come_in_pages_of_one_revision(stage: Stage) -> None:
    for number in range(5):
        await stage.api.put("pods.core", pod(f"p{number}", node="n1" if number % 2 else ""))
    listing = await stage.client.list(PODS, "default")
    assert [name_of(each) for each in listing.items] == [f"p{number}" for number in range(5)]
    assert listing.revision == stage.api.revision
    of_node = await stage.client.list(PODS, field_selector="spec.nodeName=n1")
    assert [name_of(each) for each in of_node.items] == ["p1", "p3"]


@on_stage
async def test_every_change_is_an_event_that_names_the_one_before(stage: Stage) -> None:
    events = await stage.bus.subscribe("kubus.ev.>")
    slices = await stage.bus.subscribe("kubus.node.n1.ev.>")
    beats = await stage.bus.subscribe("kubus.beat.>")
    await stage.api.put("pods.core", pod("p", node="n1"))
    await stage.api.put("pods.core", pod("q"))
    await stage.api.remove(Key("pods.core", "default", "p"))
    await stage.api.beat()
    got = [decode_event(each.data) for each in await events.next_batch() if isinstance(each, Message)]
    assert [(each.change, each.revision, each.previous) for each in got] == [
        ("added", 2, 1),
        ("added", 3, 2),
        ("deleted", 4, 3),
    ]
    sliced = [decode_event(each.data) for each in await slices.next_batch() if isinstance(each, Message)]
    assert [(each.change, each.previous) for each in sliced] == [("added", 1), ("deleted", 2)]
    said = {
        each.subject: decode_beat(each.data).revision for each in await beats.next_batch() if isinstance(each, Message)
    }
    assert said == {"kubus.beat.pods.core": 4, "kubus.beat.node.n1.pods.core": 4}


@on_stage
async def test_a_fence_that_no_longer_stands_is_a_conflict(stage: Stage) -> None:
    lease = {"metadata": {"name": "l", "namespace": "ns"}, "spec": {"holderIdentity": "a", "leaseTransitions": 1}}
    await stage.api.put("leases.coordination.k8s.io", lease)
    await stage.client.create(MAPS, config_map("m"), why=Why(fence=("ns", "l", "a", 1)))
    there = with_revision(config_map("m"), 3)
    await refused("Conflict", stage.client.update(MAPS, there, why=Why(fence=("ns", "l", "a", 2))))
