"""The node's own objects over a small API, in simulated time."""

from __future__ import annotations

import asyncio

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client.over_bus import BusClient
from kubus.model.errors import unavailable
from kubus.model.objects import Key
from kubus.service.logs import Logger
from kubus.testing.clock import SimulatedClock, simulate
from kubus.testing.small_api import SmallApi
from kubus_kubelet.node_keeper import NodeKeeper
from kubus_kubelet.node_objects import Health, Machine

MACHINE = Machine(
    hostname="n1", address="10.0.0.1", cpu_millis=2000, memory_bytes=2**30, max_pods=110, architecture="amd64",
    kernel="6.1", os_image="Debian", machine_id="m", boot_id="b", runtime="podman://4.3.1", disk_bytes=2**40,
)  # fmt: skip
NODE = Key("nodes.core", "", "n1")
LEASE = Key("leases.coordination.k8s.io", "kube-node-lease", "n1")


class Stage:
    def __init__(self):
        broker = MemoryBroker()
        self.api = SmallApi(MemoryBus(broker, "api"))
        self.ranges = []
        self.listed = [{"RepoTags": ["a:1"], "Size": 1}]
        self.failing = False
        client = BusClient(MemoryBus(broker, "kubelet"), "system:node:n1")
        self.keeper = NodeKeeper(
            client, SimulatedClock(), Logger("test"), machine=MACHINE, health=self.health, images=self.images
        )

    async def health(self, not_ready):
        if self.failing:
            raise OSError(28, "No space left on device")
        return Health(2**30, 0.5, 0.9, not_ready)

    async def images(self):
        return self.listed

    def node(self):
        return self.api.objects[NODE][1]

    def writes(self, verb, resource="nodes"):
        return [
            request
            for subject, request in self.api.requests
            if subject.verb == verb and subject.collection.startswith(resource)
        ]

    async def give_range(self, cidr="10.244.0.0/24"):
        node = self.node()
        await self.api.put("nodes.core", {**node, "spec": {"podCIDR": cidr}})

    def tell(self, story):
        async def whole():
            await self.api.serve()
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(self.keeper.run(self.ranges.append))
                await story(self)
                running.cancel()

        simulate(whole())


def ready(node):
    return {each["type"]: each for each in node["status"]["conditions"]}["Ready"]


def test_a_node_registers_is_not_ready_without_a_range_and_ready_with_one():
    async def story(stage):
        await asyncio.sleep(0.1)
        assert ready(stage.node())["message"].endswith("no pod range (spec.podCIDR) yet")
        await stage.give_range()
        await asyncio.sleep(12)
        assert stage.ranges == ["10.244.0.0/24"]
        assert ready(stage.node())["status"] == "True"

    Stage().tell(story)


def test_a_quiet_node_writes_its_status_every_five_minutes_and_its_lease_every_ten_seconds():
    async def story(stage):
        await asyncio.sleep(1)
        await stage.give_range()
        await asyncio.sleep(60)
        statuses, leases = len(stage.writes("patch")), len(stage.writes("patch", "leases"))
        await asyncio.sleep(600)
        assert len(stage.writes("patch")) - statuses == 2
        assert len(stage.writes("patch", "leases")) - leases == 60
        assert stage.api.objects[LEASE][1]["spec"]["holderIdentity"] == "n1"

    Stage().tell(story)


def test_what_the_node_controller_said_of_a_silent_node_is_set_right():
    async def story(stage):
        await asyncio.sleep(1)
        await stage.give_range()
        await asyncio.sleep(20)
        node = stage.node()
        unknown = [{**each, "status": "Unknown"} for each in node["status"]["conditions"]]
        await stage.api.put("nodes.core", {**node, "status": {**node["status"], "conditions": unknown}})
        await asyncio.sleep(21)
        assert ready(stage.node())["status"] == "True"

    Stage().tell(story)


def test_a_deleted_node_registers_again():
    async def story(stage):
        await asyncio.sleep(1)
        await stage.give_range()
        await asyncio.sleep(20)
        await stage.api.remove(NODE)
        await asyncio.sleep(21)
        assert NODE in stage.api.objects

    Stage().tell(story)


def test_an_api_that_is_away_is_waited_for():
    async def story(stage):
        stage.api.refuse = lambda verb, *_: unavailable("away")
        await asyncio.sleep(60)
        stage.api.refuse = None
        await asyncio.sleep(60)
        assert NODE in stage.api.objects
        assert LEASE in stage.api.objects

    Stage().tell(story)


def test_one_image_that_makes_no_sense_is_left_out():
    async def story(stage):
        stage.listed = [{"RepoTags": ["a:1"], "Size": "much"}, "x", {"RepoTags": ["b:1"], "Size": 2}]
        await asyncio.sleep(1)
        await stage.give_range()
        await asyncio.sleep(12)
        assert [each["names"] for each in stage.node()["status"]["images"]] == [["b:1"]]
        assert ready(stage.node())["status"] == "True"

    Stage().tell(story)


def test_a_machine_that_cannot_be_looked_at_keeps_its_lease_and_says_more_when_it_can():
    async def story(stage):
        await asyncio.sleep(1)
        await stage.give_range()
        await asyncio.sleep(20)
        stage.failing, leases = True, len(stage.writes("patch", "leases"))
        await asyncio.sleep(100)
        assert len(stage.writes("patch", "leases")) - leases == 10
        stage.failing, statuses = False, len(stage.writes("patch"))
        await asyncio.sleep(600)
        assert len(stage.writes("patch")) > statuses

    Stage().tell(story)
