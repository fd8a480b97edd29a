"""Versions that a webhook converts, through the whole apiserver: writes, reads, lists and watches."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import free_port

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
V1, V2 = (f"/apis/example.com/{version}/people" for version in ("v1", "v2"))
MERGE = "application/merge-patch+json"


def _converted(obj: dict[str, Any], wanted: str) -> dict[str, Any]:
    """v1 has one `name`, v2 has `first` and `last`."""
    spec = obj["spec"]
    if wanted.endswith("v2") and "name" in spec:
        first, _, last = spec["name"].partition(" ")
        spec = {"first": first, "last": last}
    elif wanted.endswith("v1") and "first" in spec:
        spec = {"name": f"{spec['first']} {spec['last']}"}
    return {**obj, "apiVersion": wanted, "spec": spec}


async def _convert(request: web.Request) -> web.Response:
    review = await request.json()
    asked = review["request"]
    objects = [_converted(each, asked["desiredAPIVersion"]) for each in asked["objects"]]
    review["response"] = {"uid": asked["uid"], "result": {"status": "Success"}, "convertedObjects": objects}
    return web.json_response(review)


def _bundle(authority: Authority) -> str:
    return b64encode(Path(authority.ca_file).read_bytes()).decode()


@asynccontextmanager
async def _converter(directory: Path) -> AsyncIterator[dict[str, Any]]:
    """A converter over TLS; its clientConfig."""
    authority = Authority(directory)
    pair = authority.issue("converter", hosts=("127.0.0.1",))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert_file, pair.key_file)
    app = web.Application()
    app.router.add_post("/convert", _convert)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    try:
        yield {"url": f"https://127.0.0.1:{port}/convert", "caBundle": _bundle(authority)}
    finally:
        await runner.cleanup()


def _definition(client: dict[str, Any]) -> dict[str, Any]:
    def version(name: str, stored: bool, *fields: str) -> dict[str, Any]:
        properties = {field: {"type": "string"} for field in fields}
        spec = {"type": "object", "required": list(fields), "properties": properties}
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
        return {"name": name, "served": True, "storage": stored, "schema": schema}

    webhook = {"clientConfig": client, "conversionReviewVersions": ["v1"]}
    return {
        "metadata": {"name": "people.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"plural": "people", "kind": "Person"},
            "versions": [version("v1", True, "name"), version("v2", False, "first", "last")],
            "conversion": {"strategy": "Webhook", "webhook": webhook},
        },
    }


def _person(name: str, /, **spec: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


async def _served(api) -> None:
    async with asyncio.timeout(5):
        while (await api("GET", V1)).code != 200:
            await asyncio.sleep(0.005)


async def test_everything_can_be_done_in_either_version(api, tmp_path: Path) -> None:
    async with _converter(tmp_path) as client:
        await api.ok("POST", DEFINITIONS, _definition(client))
        await _served(api)
        await api.ok("POST", V1, _person("ada", name="Ada Lovelace"))
        made = await api.ok("POST", V2, _person("alan", first="Alan", last="Turing"))
        assert (made["apiVersion"], made["spec"]) == ("example.com/v2", {"first": "Alan", "last": "Turing"})
        assert (await api.ok("GET", f"{V1}/alan"))["spec"] == {"name": "Alan Turing"}
        listed = await api.ok("GET", V2)
        assert [item["spec"]["last"] for item in listed["items"]] == ["Lovelace", "Turing"]
        patch = {"spec": {"last": "King"}}
        patched = await api.ok("PATCH", f"{V2}/ada", patch, content_type=MERGE)
        assert patched["metadata"]["generation"] == 2
        assert (await api.ok("GET", f"{V1}/ada"))["spec"] == {"name": "Ada King"}
        await api.ok("DELETE", f"{V2}/alan")
        assert (await api("GET", f"{V1}/alan")).code == 404
        await api.core.clients.aclose()


async def test_a_watch_sees_its_own_version(api, tmp_path: Path) -> None:
    async with _converter(tmp_path) as client:
        await api.ok("POST", DEFINITIONS, _definition(client))
        await _served(api)
        await api.ok("POST", V1, _person("ada", name="Ada Lovelace"))
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
            sink = await api.watch(f"{V2}?{query}", tasks)
            await sink.until(2)
            await api.ok("POST", V1, _person("alan", name="Alan Turing"))
            await sink.until(3)
            await api.ok("DELETE", f"{V1}/alan")
            events = await sink.until(4)
            sink.closed = True
            api.core.watches.end_all()
        assert [event["type"] for event in events] == ["ADDED", "BOOKMARK", "ADDED", "DELETED"]
        assert [event["object"]["spec"]["last"] for event in (*events[:1], *events[2:])] == [
            "Lovelace",
            "Turing",
            "Turing",
        ]
        await api.core.clients.aclose()


async def test_without_its_webhook_the_other_version_cannot_be_read(api) -> None:
    await api.ok("POST", DEFINITIONS, _definition({"url": "https://127.0.0.1:1/convert"}))
    await _served(api)
    await api.ok("POST", V1, _person("ada", name="Ada Lovelace"))
    reply = await api("GET", f"{V2}/ada")
    assert reply.code == 500
    assert "conversion webhook for example.com/v1, Kind=Person failed" in reply.message
    assert (await api.ok("GET", f"{V1}/ada"))["spec"] == {"name": "Ada Lovelace"}
    await api.ok("DELETE", f"{DEFINITIONS}/people.example.com")
    async with asyncio.timeout(5):
        while (await api("GET", V1)).code != 404:
            await asyncio.sleep(0.005)
    await api.core.clients.aclose()
