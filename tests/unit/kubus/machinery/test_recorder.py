"""Events: said once, counted up, limited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client.over_bus import BusClient
from kubus.machinery.recorder import BURST, REFILL_SECONDS, Limiter, Recorder, Said, event_name, event_object
from kubus.model.objects import Key, Object
from kubus.testing.builders import node, pod
from kubus.testing.clock import START, SimulatedClock, simulate
from kubus.testing.small_api import SmallApi

POD = pod("web-0", uid="uid-1", resourceVersion="7")


class Stage:
    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.api = SmallApi(MemoryBus(self.broker, "api"))

    @asynccontextmanager
    async def recorder(self) -> AsyncIterator[Recorder]:
        recorder = Recorder(BusClient(MemoryBus(self.broker, "test"), "test"), SimulatedClock(), "host-1")
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(recorder.run())
            yield recorder
            await asyncio.sleep(1)
            running.cancel()

    def events(self) -> list[Object]:
        return [obj for key, (_, obj) in self.api.objects.items() if key.collection == "events.core"]


def test_an_event_says_who_what_and_when() -> None:
    event = event_object(Said(POD, "Pulled", "Pulled the image", "Normal", "kubelet"), START, "host-1")
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "web-0",
        "namespace": "default",
        "uid": "uid-1",
        "resourceVersion": "7",
    }
    assert event["metadata"]["namespace"] == "default"
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-01-01T12:00:00Z"
    assert event["source"] == {"component": "kubelet", "host": "host-1"}


def test_events_about_the_cluster_stand_in_the_default_namespace() -> None:
    event = event_object(Said(node("n1"), "NodeReady", "", "Normal", "kubelet"), START, "")
    assert event["metadata"]["namespace"] == "default"


def test_the_same_has_the_same_name_and_anything_else_another() -> None:
    said = Said(POD, "Pulled", "text", "Normal", "kubelet")
    assert event_name(said) == event_name(said._replace(about={**POD, "status": {}}))
    others = [
        said._replace(reason="x"),
        said._replace(message="x"),
        said._replace(type="Warning"),
        said._replace(source="x"),
    ]
    assert len({event_name(each) for each in [said, *others]}) == 5


def test_saying_it_again_counts_up_also_after_a_restart() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        for _ in range(2):
            async with stage.recorder() as recorder:
                for _ in range(3):
                    recorder.record(POD, "BackOff", "Back-off restarting", "Warning", "kubelet")
        [event] = stage.events()
        assert event["count"] == 6

    simulate(story())


def test_every_write_is_caused_by_what_it_speaks_of() -> None:
    """Found by a seed: counting up after a restart said nothing of its cause."""

    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        for _ in range(2):
            async with stage.recorder() as recorder:
                recorder.record(POD, "BackOff", "Back-off restarting", "Warning", "kubelet")
        writes = [request for subject, request in stage.api.requests if subject.verb != "get"]
        assert {(request.cause, request.field_manager) for request in writes} == {(7, "kubelet")}

    simulate(story())


def test_an_event_that_has_expired_is_made_anew() -> None:
    async def story() -> None:
        stage = Stage()
        await stage.api.serve()
        async with stage.recorder() as recorder:
            recorder.record(POD, "BackOff", "again", "Warning", "kubelet")
            await asyncio.sleep(1)
            [name] = [key.name for key in stage.api.objects]
            await stage.api.remove(Key("events.core", "default", name))
            recorder.record(POD, "BackOff", "again", "Warning", "kubelet")
        [event] = stage.events()
        assert event["count"] == 1

    simulate(story())


def test_an_object_is_spoken_of_so_often_and_then_now_and_again() -> None:
    limiter = Limiter()
    assert sum(limiter.allows("kubelet", "u", 0.0) for _ in range(100)) == BURST
    assert limiter.allows("kubelet", "another", 0.0)
    assert not limiter.allows("kubelet", "u", REFILL_SECONDS - 1)
    assert limiter.allows("kubelet", "u", REFILL_SECONDS + 1)
    assert not limiter.allows("kubelet", "u", REFILL_SECONDS + 2)


def test_an_apiserver_that_refuses_costs_the_event_and_not_the_recorder() -> None:
    async def story() -> None:
        stage = Stage()
        async with stage.recorder() as recorder:
            recorder.record(POD, "Lost", "nobody hears this", "Normal", "kubelet")
            await asyncio.sleep(60)
            await stage.api.serve()
            recorder.record(POD, "Heard", "somebody hears this", "Normal", "kubelet")
        assert "Heard" in [event["reason"] for event in stage.events()]

    simulate(story())
