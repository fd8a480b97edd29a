"""The aggregator over a core on a store in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.unit.kubus_apiserver.conftest import Api

from kubus_apiserver.aggregation import trusted
from kubus_apiserver.aggregation.aggregator import Aggregator
from kubus_apiserver.aggregation.availability import is_available

PATH = "/apis/apiregistration.k8s.io/v1/apiservices"
TRUSTED = f"/api/v1/namespaces/{trusted.NAMESPACE}/configmaps/{trusted.NAME}"
CA = "-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n"
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}
REMOTE = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1beta1.metrics.k8s.io"},
    "spec": {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "service": {"namespace": "default", "name": "metrics"},
    },
}


@pytest.fixture
async def aggregated(api: Api) -> AsyncIterator[Api]:
    """An API with a running aggregator."""
    aggregator = Aggregator(api.core, api.core.routing, trusted.wanted_data(CA, CA))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(aggregator.run())
        yield api
        running.cancel()
    await api.core.clients.aclose()


async def until(api: Api, path: str, right: Callable[[int, Any], bool]) -> Any:
    """What stands at a path, once it is right."""
    async with asyncio.timeout(10):
        while True:
            reply = await api("GET", path)
            if right(reply.code, reply.body):
                return reply.body
            await asyncio.sleep(0.01)


async def test_what_is_served_is_registered_and_available(aggregated: Api) -> None:
    everything = await until(
        aggregated, PATH, lambda _, body: len(body["items"]) > 15 and all(map(is_available, body["items"]))
    )
    names = [each["metadata"]["name"] for each in everything["items"]]
    assert {"v1.", "v1.apps", "v2.autoscaling"} <= set(names)
    assert "v1.apiregistration.k8s.io" not in names


async def test_one_that_is_deleted_or_bent_is_put_right(aggregated: Api) -> None:
    before = await until(aggregated, f"{PATH}/v1.apps", lambda code, _: code == 200)
    await aggregated.ok("DELETE", f"{PATH}/v1.apps")
    uid = before["metadata"]["uid"]
    await until(aggregated, f"{PATH}/v1.apps", lambda code, body: code == 200 and body["metadata"]["uid"] != uid)
    patch = json.dumps({"spec": {"versionPriority": 7}}).encode()
    await aggregated.ok("PATCH", f"{PATH}/v1.apps", patch, content_type="application/merge-patch+json")
    await until(aggregated, f"{PATH}/v1.apps", lambda _, body: body["spec"]["versionPriority"] == 15)


async def test_custom_resources_are_registered_as_long_as_they_are_served(aggregated: Api) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    await aggregated.ok("POST", definitions, DEFINITION)
    made = await until(aggregated, f"{PATH}/v1.example.com", lambda code, _: code == 200)
    assert made["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "true"}
    await aggregated.ok("DELETE", f"{definitions}/widgets.example.com")
    await until(aggregated, f"{PATH}/v1.example.com", lambda code, _: code == 404)


async def test_the_config_map_is_kept_in_order(aggregated: Api) -> None:
    told = await until(aggregated, TRUSTED, lambda code, _: code == 200)
    assert told["data"] == trusted.wanted_data(CA, CA)
    await aggregated.ok("DELETE", TRUSTED)
    await until(aggregated, TRUSTED, lambda code, _: code == 200)


async def test_an_extension_without_a_service_is_not_available_and_known_to_the_router(aggregated: Api) -> None:
    await aggregated.ok("POST", PATH, REMOTE)
    path = f"{PATH}/v1beta1.metrics.k8s.io"
    found = await until(aggregated, path, lambda _, body: bool(body.get("status", {}).get("conditions")))
    condition = found["status"]["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("False", "ServiceNotFound")
    answer = await aggregated.raw("GET", "/apis/metrics.k8s.io/v1beta1/nodes")
    assert (answer.code, answer.body) == (503, b"service unavailable\n")
    assert aggregated.rest.leads_away("/apis/metrics.k8s.io/v1beta1/nodes")
    await aggregated.ok("DELETE", path)
    await until(aggregated, "/apis/metrics.k8s.io/v1beta1", lambda code, _: code == 404)
