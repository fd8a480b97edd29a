"""The kubelet's view of the API."""

from __future__ import annotations

import asyncio

from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.client.over_bus import BusClient
from kubus.machinery.recorder import Recorder
from kubus.model.objects import Key
from kubus.model.schema import load_schemas
from kubus.model.strategic import strategic_merge
from kubus.testing.builders import config_map, pod
from kubus.testing.clock import SimulatedClock, simulate
from kubus.testing.small_api import SmallApi
from kubus_kubelet.cluster import ClusterApi, api_environment_of, status_patch
from kubus_kubelet.references import Reference

CONF = Reference("configmap", "conf")


class Stage:
    def __init__(self):
        broker, clock = MemoryBroker(), SimulatedClock()
        self.api = SmallApi(MemoryBus(broker, "api"))
        client = BusClient(MemoryBus(broker, "kubelet"), "system:node:n1")
        self.cluster = ClusterApi(client, Recorder(client, clock), clock, "n")

    def count(self, verb):
        return sum(subject.verb == verb for subject, _ in self.api.requests)

    def tell(self, story):
        async def whole():
            await self.api.serve()
            await story(self)

        simulate(whole())


def test_a_config_map_is_asked_for_once_however_many_pods_want_it():
    async def story(stage):
        await stage.api.put("configmaps.core", config_map("conf", data={"a": "1"}))
        found = await asyncio.gather(*(stage.cluster.fetch("default", CONF) for _ in range(20)))
        assert [each["data"] for each in found] == [{"a": "1"}] * 20
        assert stage.count("get") == 1
        await stage.cluster.fetch("default", CONF, fresh=True)
        assert stage.count("get") == 2
        await asyncio.sleep(6)
        await stage.cluster.fetch("default", CONF)
        assert stage.count("get") == 3

    Stage().tell(story)


def test_what_is_missing_is_looked_for_again():
    async def story(stage):
        assert await stage.cluster.fetch("default", CONF) is None
        await stage.api.put("configmaps.core", config_map("conf", data={}))
        assert await stage.cluster.fetch("default", CONF) is not None

    Stage().tell(story)


def test_a_status_write_names_the_pods_uid_and_its_cause():
    async def story(stage):
        stored = await stage.api.put("pods.core", pod("web"))
        revision = stage.api.revision
        web = {**stored, "metadata": {**stored["metadata"], "resourceVersion": str(revision)}}
        await stage.cluster.report(web, {"phase": "Running"})
        _, request = stage.api.requests[-1]
        assert request.patch == {"metadata": {"uid": web["metadata"]["uid"]}, "status": {"phase": "Running"}}
        assert (request.subresource, request.patch_type, request.cause) == ("status", "strategic", revision)

    Stage().tell(story)


def test_a_pod_is_deleted_for_good_only_if_it_is_still_the_same():
    async def story(stage):
        stored = await stage.api.put("pods.core", pod("web"))
        other = {**stored, "metadata": {**stored["metadata"], "uid": "another"}}
        await stage.cluster.finish(other)
        assert Key("pods.core", "default", "web") in stage.api.objects
        await stage.cluster.finish(stored)
        assert Key("pods.core", "default", "web") not in stage.api.objects
        await stage.cluster.finish(stored)

    Stage().tell(story)


def test_programs_in_pods_learn_where_the_api_is():
    service = {"spec": {"clusterIP": "10.96.0.1", "ports": [{"port": 443}]}}
    found = api_environment_of(service)
    assert (found["KUBERNETES_SERVICE_HOST"], found["KUBERNETES_SERVICE_PORT"]) == ("10.96.0.1", "443")
    assert api_environment_of({"spec": {"clusterIP": "None", "ports": [{"port": 1}]}}) == {}


def test_a_pod_that_got_another_address_has_only_that_one():
    before = {"podIPs": [{"ip": "10.0.0.1"}], "hostIPs": [{"ip": "10.1.0.1"}], "conditions": [{"type": "gate"}]}
    after = {"podIPs": [{"ip": "10.0.0.2"}], "hostIPs": [{"ip": "10.1.0.1"}], "conditions": [{"type": "Ready"}]}
    patch = {"status": status_patch(after)}
    merged = strategic_merge({"status": before}, patch, load_schemas(), "io.k8s.api.core.v1.Pod")
    assert (merged["status"]["podIPs"], merged["status"]["hostIPs"]) == (after["podIPs"], after["hostIPs"])
    assert {each["type"] for each in merged["status"]["conditions"]} == {"gate", "Ready"}
