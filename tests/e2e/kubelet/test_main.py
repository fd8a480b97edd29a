"""The kubelet process on a bus, with a small API at the other end and real Podman below."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client.over_bus import BusClient
from kubus.model.objects import Key
from kubus.service.clocks import SystemClock
from kubus.service.context import Context
from kubus.service.logs import Logger
from kubus.service.settings import Settings, environment
from kubus.testing.small_api import SmallApi
from kubus_kubelet.main import serve

pytestmark = pytest.mark.e2e
NODE = Key("nodes.core", "", "node-1")


class TestContext(Context):
    """A context whose bus is in memory."""

    __test__ = False

    def __init__(self, broker, settings):
        super().__init__(
            name="kubelet",
            settings=Settings(identity="system:node:node-1"),
            environ={**os.environ, **environment(settings)},
            clock=SystemClock(),
            log=Logger("test"),
            metrics=CollectorRegistry(),
            on_ready=lambda ready, reason: self.told.append(ready),
        )
        self.told = []
        self._broker = broker

    async def bus(self):
        return MemoryBus(self._broker, "kubelet")

    def client(self, bus):
        return BusClient(bus, "system:node:node-1", manager="kubelet")


@pytest.fixture
async def cluster(node_settings, image):
    """(api, context) of a running kubelet whose node has a pod range."""
    broker = MemoryBroker()
    api = SmallApi(MemoryBus(broker, "api"))
    await api.serve()
    context = TestContext(broker, replace(node_settings, max_pods=20))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(context))
        await until(lambda: NODE in api.objects)
        await api.put("nodes.core", {**api.objects[NODE][1], "spec": {"podCIDR": "10.233.78.0/24"}})
        await until(lambda: context.told == [True])
        yield api
        context.stop.set()


async def until(holds):
    async with asyncio.timeout(90):
        while not holds():  # the world is asked, it does not tell
            await asyncio.sleep(0.01)


def status_writes(api, name):
    return [
        request
        for subject, request in api.requests
        if subject.collection == "pods.core" and request.subresource == "status" and request.name == name
    ]


def pod(name, image):
    container = {"name": "app", "image": image, "command": ["sleep", "1000"]}
    spec = {"nodeName": "node-1", "containers": [container], "terminationGracePeriodSeconds": 1}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}


async def test_a_pod_costs_one_status_write_and_leaves_by_a_conditional_delete(cluster, image):
    api = cluster
    key = Key("pods.core", "default", "web")
    stored = await api.put("pods.core", pod("web", image))
    written = api.revision
    await until(lambda: api.objects[key][1]["status"]["phase"] == "Running")
    await asyncio.sleep(1.5)
    (write,) = status_writes(api, "web")
    assert write.cause == written
    ready = {each["type"]: each["status"] for each in write.patch["status"]["conditions"]}
    assert ready["Ready"] == "True"
    now = api.objects[key][1]
    times = {"deletionTimestamp": "2026-01-31T12:00:00Z", "deletionGracePeriodSeconds": 1}
    await api.put("pods.core", {**now, "metadata": {**now["metadata"], **times}})
    await until(lambda: key not in api.objects)
    (deletion,) = [request for subject, request in api.requests if subject.verb == "delete"]
    assert deletion.object == {"gracePeriodSeconds": 0, "preconditions": {"uid": stored["metadata"]["uid"]}}
    assert len(status_writes(api, "web")) == 1


async def test_a_pod_that_another_replaced_under_its_name_is_another_pod(cluster, image):
    api = cluster
    key = Key("pods.core", "default", "web")
    await api.put("pods.core", pod("web", image))
    await until(lambda: api.objects[key][1]["status"]["phase"] == "Running")
    first = api.objects[key][1]["status"]["containerStatuses"][0]["containerID"]
    await api.remove(key)
    await api.put("pods.core", pod("web", image))
    await until(lambda: api.objects[key][1]["status"]["phase"] == "Running")
    assert api.objects[key][1]["status"]["containerStatuses"][0]["containerID"] != first


async def test_events_about_pods_are_recorded(cluster, image):
    api = cluster
    await api.put("pods.core", pod("web", image))

    def reasons():
        return {obj["reason"] for key, (_, obj) in api.objects.items() if key.collection == "events.core"}

    await until(lambda: {"Pulled", "Created", "Started"} <= reasons())
