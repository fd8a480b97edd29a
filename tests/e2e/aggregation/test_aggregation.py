"""An extension apiserver behind two apiservers, asked by kubectl and by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from tests.e2e.admission.conftest import Client
from tests.e2e.aggregation.extension import GROUP, PATH, VERSION, Extension, running_extension
from tests.e2e.apiserver.conftest import NOBODY

APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
NAME = f"{VERSION}.{GROUP}"
pytestmark = pytest.mark.asyncio(loop_scope="module")
TRUSTED = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"


def apiservice(extension: Extension, **spec: Any) -> dict[str, Any]:
    """The APIService of an extension apiserver."""
    service = {"namespace": "default", "name": "metrics", "port": extension.port}
    given = {"group": GROUP, "version": VERSION, "groupPriorityMinimum": 100, "versionPriority": 100}
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": NAME},
        "spec": {**given, "service": service, "caBundle": extension.bundle, **spec},
    }


async def eventually(client: Client, path: str, right: Callable[[int, dict[str, Any]], bool]) -> dict[str, Any]:
    """What stands at a path, once it is right."""
    seen: Any = None
    for _ in range(150):
        seen = await client("GET", path)
        if right(*seen):
            return seen[1]
        await asyncio.sleep(0.1)
    raise AssertionError(seen)


def condition(obj: dict[str, Any]) -> tuple[str, str]:
    """(status, reason) of the condition Available."""
    found = (obj["status"].get("conditions") if isinstance(obj.get("status"), dict) else None) or [{}]
    return found[0].get("status", ""), found[0].get("reason", "")


def knows_both(code: int, obj: dict[str, Any]) -> bool:
    """Whether the ConfigMap holds the front proxy's authority of either apiserver."""
    return code == 200 and obj["data"]["requestheader-client-ca-file"].count("BEGIN") == 2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def extension(both: tuple[Client, Client], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Extension]:
    """An extension apiserver that is registered and available at both apiservers."""
    one = both[0]
    told = await eventually(one, TRUSTED, knows_both)
    ca = told["data"]["requestheader-client-ca-file"]
    directory = tmp_path_factory.mktemp("extension")
    async with running_extension(directory, ca, "127.0.0.1", "metrics.default.svc") as made:
        service = {"type": "ExternalName", "externalName": "localhost"}
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "metrics"}, "spec": service}
        await one.ok("POST", "/api/v1/namespaces/default/services", body)
        await one.ok("POST", APISERVICES, apiservice(made))
        for client in both:
            await eventually(client, f"{APISERVICES}/{NAME}", lambda _, obj: condition(obj) == ("True", "Passed"))
            document = f"/openapi/v3/apis/{GROUP}/{VERSION}"  # the last of what an apiserver asks for
            await eventually(client, document, lambda code, _: code == 200)
        yield made


async def test_what_is_served_here_has_apiservices_that_come_back(both: tuple[Client, Client]) -> None:
    one, other = both
    local = await eventually(one, f"{APISERVICES}/v1.apps", lambda _, obj: condition(obj) == ("True", "Local"))
    assert local["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    assert local["spec"] == {
        "group": "apps",
        "version": "v1",
        "groupPriorityMinimum": 17800,
        "versionPriority": 15,
    }
    result = await one.server.kubectl("get", "apiservices")
    lines = [line.split()[:3] for line in result.out.splitlines()]
    assert lines[0] == ["NAME", "SERVICE", "AVAILABLE"]
    assert ["v1.", "Local", "True"] in lines
    assert ["v2.autoscaling", "Local", "True"] in lines
    await one.ok("DELETE", f"{APISERVICES}/v1.apps")
    uid = local["metadata"]["uid"]
    await eventually(other, f"{APISERVICES}/v1.apps", lambda code, obj: code == 200 and obj["metadata"]["uid"] != uid)


async def test_extension_apiservers_are_told_how_to_know_this_one(both: tuple[Client, Client]) -> None:
    one, other = both
    told = await eventually(one, TRUSTED, knows_both)
    data = told["data"]
    assert json.loads(data["requestheader-allowed-names"]) == ["front-proxy-client"]
    assert json.loads(data["requestheader-username-headers"]) == ["X-Remote-User"]
    assert json.loads(data["requestheader-extra-headers-prefix"]) == ["X-Remote-Extra-"]
    own = [(client.server.directory / "ca.crt").read_text().strip() for client in both]
    assert all(each in data["client-ca-file"] for each in own), "both apiservers' authorities are trusted"
    await other.ok("DELETE", TRUSTED)
    await eventually(one, TRUSTED, lambda code, obj: code == 200 and len(obj["data"]) == len(data))


async def test_kubectl_uses_what_an_extension_apiserver_serves(
    both: tuple[Client, Client], extension: Extension
) -> None:
    kubectl = both[1].server.kubectl
    listed = await kubectl("api-resources", "--api-group", GROUP, "--no-headers")
    assert [line.split() for line in listed.out.splitlines()] == [
        ["nodes", f"{GROUP}/{VERSION}", "false", "NodeMetrics"],
        ["pods", f"{GROUP}/{VERSION}", "true", "PodMetrics"],
    ]
    got = await kubectl("get", "nodes.metrics.k8s.io", "n7", "-o", "jsonpath={.usage.cpu}")
    assert (got.out, got.err) == ("250m", "")
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
    node |= {"status": {"allocatable": {"cpu": "1", "memory": "1Gi"}, "capacity": {"cpu": "1", "memory": "1Gi"}}}
    await both[0].ok("POST", "/api/v1/nodes", node)
    await both[0].ok("PUT", "/api/v1/nodes/n1/status", node)
    await both[1].until("/api/v1/nodes/n1")
    top = await kubectl("top", "nodes")
    assert top.out.splitlines()[1].split() == ["n1", "250m", "25%", "512Mi", "50%"], top.err
    versions = await kubectl("api-versions")
    assert f"{GROUP}/{VERSION}" in versions.out.splitlines()


async def test_requests_arrive_with_who_asks_and_nothing_that_the_client_forged(
    both: tuple[Client, Client], extension: Extension
) -> None:
    one = both[0]
    forged = {"X-Remote-User": "root", "X-Remote-Extra-Scopes": "all", "X-Custom": "kept", "Authorization": "Bearer x"}
    extension.asked.clear()
    url = f"https://127.0.0.1:{one.server.port}{PATH}/namespaces/a/pods/b%2Fc/echo?x=1&x=2"
    async with one.session.post(url, data=b"body" * 100_000, ssl=one.trust, headers=forged) as answer:
        assert answer.status == 200
        echo = (await answer.json())["echo"]
    assert echo["method"] == "POST"
    assert echo["url"] == f"{PATH}/namespaces/a/pods/b%2Fc/echo?x=1&x=2"
    assert len(echo["body"]) == 400_000
    headers = echo["headers"]
    assert [value for name, value in headers if name.lower() == "x-remote-user"] == ["kubernetes-admin"]
    assert [value for name, value in headers if name.lower() == "x-remote-group"] == [
        "system:masters",
        "system:authenticated",
    ]
    said = {name.lower(): value for name, value in headers}
    assert said["x-custom"] == "kept"
    assert said["x-forwarded-for"] == "127.0.0.1"
    assert not {"authorization", "x-remote-extra-scopes"} & set(said)


async def test_who_may_not_is_refused_before_anybody_is_asked(
    both: tuple[Client, Client], extension: Extension
) -> None:
    extension.asked.clear()
    refused = await both[0].server.kubectl("get", "--raw", f"{PATH}/nodes/n1", user=NOBODY)
    assert "Forbidden" in refused.err
    assert not [each for each in extension.asked if each["url"].endswith("/n1")]


async def test_watches_redirects_and_upgrades_pass_through(both: tuple[Client, Client], extension: Extension) -> None:
    one = both[0]
    base = f"https://127.0.0.1:{one.server.port}{PATH}"
    async with one.session.get(f"{base}/pods?watch=1", ssl=one.trust) as answer:
        events = [json.loads(line) async for line in answer.content]
    assert [each["object"]["metadata"]["name"] for each in events] == ["p0", "p1"]
    async with one.session.get(f"{base}/nodes/moved", ssl=one.trust, allow_redirects=False) as answer:
        assert (answer.status, await answer.text()) == (
            502,
            "the backend attempted to redirect this request, which is not permitted\n",
        )
    async with one.session.ws_connect(f"{base}/nodes/socket", ssl=one.trust, protocols=("echo",)) as socket:
        assert socket.protocol == "echo"
        assert await socket.receive_str() == "hello"
        await socket.send_str("quietly")
        assert await socket.receive_str() == "QUIETLY"


async def test_documents_tell_of_it(both: tuple[Client, Client], extension: Extension) -> None:
    one = both[1]
    groups = (await one.ok("GET", "/apis"))["groups"]
    assert [each["name"] for each in groups][-1] == GROUP, "its priority is the lowest"
    index = await one.ok("GET", "/openapi/v3")
    assert f"apis/{GROUP}/{VERSION}" in index["paths"]
    document = await one.ok("GET", f"/openapi/v3/apis/{GROUP}/{VERSION}")
    assert "test.metrics.NodeMetrics" in document["components"]["schemas"]
    merged = await one.ok("GET", "/openapi/v2")
    assert f"{PATH}/nodes" in merged["paths"]
    assert "test.metrics.NodeMetrics" in merged["definitions"]


async def test_who_shows_another_certificate_than_was_agreed_is_not_trusted(
    both: tuple[Client, Client], extension: Extension
) -> None:
    one = both[0]
    path = f"{APISERVICES}/{NAME}"
    await one.ok("PATCH", path, {"spec": {"caBundle": None}})
    seen = await eventually(one, path, lambda _, obj: condition(obj) == ("False", "FailedDiscoveryCheck"))
    assert "certificate" in seen["status"]["conditions"][0]["message"]
    await one.ok("PATCH", path, {"spec": {"insecureSkipTLSVerify": True}})
    await eventually(one, path, lambda _, obj: condition(obj) == ("True", "Passed"))


async def test_nobody_but_the_front_proxy_may_say_who_asks(both: tuple[Client, Client], extension: Extension) -> None:
    """The front proxy's authority is not the one that signs users' certificates."""
    directory = both[0].server.directory
    assert (directory / "front-proxy-ca.crt").read_text() != (directory / "ca.crt").read_text()
    async with aiohttp.ClientSession() as session:
        url = f"https://localhost:{extension.port}{PATH}/nodes"
        async with session.get(url, ssl=False, headers={"X-Remote-User": "root"}) as answer:
            assert answer.status == 401


async def test_an_extension_that_is_gone_is_unavailable_and_says_so(
    both: tuple[Client, Client], extension: Extension
) -> None:
    one, other = both
    await one.ok("PATCH", "/api/v1/namespaces/default/services/metrics", {"spec": {"externalName": "127.0.0.2"}})
    seen = await eventually(other, f"{APISERVICES}/{NAME}", lambda _, obj: condition(obj)[0] == "False")
    assert condition(seen) == ("False", "FailedDiscoveryCheck")
    assert "connection refused" in seen["status"]["conditions"][0]["message"]
    url = f"https://127.0.0.1:{other.server.port}{PATH}/nodes"
    async with other.session.get(url, ssl=other.trust) as answer:
        assert (answer.status, await answer.text()) == (503, "service unavailable\n")
    asked = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    async with other.session.get(
        f"https://127.0.0.1:{other.server.port}/apis", ssl=other.trust, headers=asked
    ) as answer:
        items = (await answer.json())["items"]
    assert next(each for each in items if each["metadata"]["name"] == GROUP)["versions"][0]["freshness"] == "Stale"
    result = await other.server.kubectl("get", "--raw", f"{PATH}/nodes")
    assert "the server is currently unable to handle the request" in result.err
    await one.ok("DELETE", "/api/v1/namespaces/default/services/metrics")
    await eventually(other, f"{APISERVICES}/{NAME}", lambda _, obj: condition(obj) == ("False", "ServiceNotFound"))
    await one.ok("DELETE", f"{APISERVICES}/{NAME}")
    await eventually(other, f"/apis/{GROUP}", lambda code, _: code == 404)
