"""Extension apiservers are asked over real TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.e2e.aggregation.extension import GROUP, VERSION, running_extension
from tests.e2e.aggregation.extension import Extension as Server
from tests.unit.kubus_apiserver.forwarding.test_endpoints import cache_of

from kubus.model.objects import Object
from kubus_apiserver.aggregation.availability import PASSED
from kubus_apiserver.aggregation.extensions import Asker, Extension
from kubus_apiserver.documents.priorities import Priority
from kubus_apiserver.forwarding.clients import ClusterClients
from kubus_apiserver.forwarding.dialling import Dialler
from kubus_apiserver.forwarding.endpoints import Endpoints
from kubus_cli.pki import FRONT_PROXY, FRONT_PROXY_CA, ensure_front_proxy

SERVICE: Object = {
    "metadata": {"name": "metrics", "namespace": "a"},
    "spec": {"type": "ExternalName", "externalName": "127.0.0.1"},
}


@pytest.fixture
async def clients() -> AsyncIterator[ClusterClients]:
    """Of a cluster with the Service."""
    made = ClusterClients(Endpoints(cache_of(services=[SERVICE]), Random(1)), Dialler())
    yield made
    await made.aclose()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """An extension apiserver that knows the front proxy."""
    ensure_front_proxy(tmp_path, datetime.now(UTC))
    ca = (tmp_path / f"{FRONT_PROXY_CA}.crt").read_text()
    async with running_extension(tmp_path, ca, "127.0.0.1", "metrics.a.svc") as made:
        yield made


def extension(server: Server, **spec: Any) -> Extension:
    """As its APIService describes it."""
    service = {"namespace": "a", "name": "metrics", "port": server.port}
    given = {"group": GROUP, "version": VERSION, "groupPriorityMinimum": 10, "versionPriority": 20}
    return Extension({"spec": {**given, "service": service, "caBundle": server.bundle, **spec}})


async def test_one_that_answers_is_available_and_tells_of_itself(
    tmp_path: Path, server: Server, clients: ClusterClients
) -> None:
    asker = Asker(clients, (tmp_path / f"{FRONT_PROXY}.crt", tmp_path / f"{FRONT_PROXY}.key"))
    asked = extension(server)
    assert await asker.ask(asked) == PASSED
    foreign = asked.foreign
    assert [each["name"] for each in foreign.resources] == ["nodes", "pods"]
    assert foreign.priority == Priority(10, 20)
    assert foreign.document is not None
    seen = {name.lower(): value for name, value in server.asked[0]["headers"]}
    assert seen["x-remote-user"] == "system:kube-aggregator"
    assert seen["x-remote-group"] == "system:masters"
    server.asked.clear()
    assert await asker.ask(asked) == PASSED
    urls = [each["url"] for each in server.asked]
    assert urls == [f"/apis/{GROUP}/{VERSION}", "/openapi/v3"], "a document that has not changed is not fetched again"


async def test_one_that_does_not_know_this_server_says_so(server: Server, clients: ClusterClients) -> None:
    verdict = await Asker(clients, None).ask(extension(server))
    assert (verdict.status, verdict.reason) == ("False", "FailedDiscoveryCheck")
    assert verdict.message.endswith(f"/apis/{GROUP}/{VERSION}: 401")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"caBundle": None}, "certificate verify failed"),
        ({"caBundle": "bm8gY2VydGlmaWNhdGU="}, "failing or missing response"),
        ({"service": {"namespace": "a", "name": "gone", "port": 443}}, 'service "gone" not found'),
        ({"service": {"namespace": "a", "name": "metrics", "port": 1}}, "connection refused"),
    ],
)
async def test_one_that_cannot_be_trusted_or_reached_says_why(
    server: Server, clients: ClusterClients, spec: Object, words: str
) -> None:
    verdict = await Asker(clients, None).ask(extension(server, **spec))
    assert verdict.status == "False"
    assert words in verdict.message
