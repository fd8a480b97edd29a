"""Calls to webhooks over real TLS."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from kubus.model.codec import Raw, pack
from kubus.store import StoreChange
from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import free_port
from kubus_apiserver.forwarding.clients import ClusterClients
from kubus_apiserver.forwarding.dialling import Dialler
from kubus_apiserver.forwarding.endpoints import Endpoints
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.webhookcalls import WebhookCalls, WebhookFailed, url_of


async def _echo(request: web.Request) -> web.Response:
    if request.path == "/slow":
        await asyncio.sleep(2)
    if request.path == "/long":
        return web.json_response({"text": "x" * 3_000_000})
    if request.path == "/broken":
        return web.Response(text="[]")
    if request.path == "/refused":
        return web.Response(status=400, text="no")
    return web.json_response({"path": request.path, "got": await request.json()})


def _base64(path: str) -> str:
    return b64encode(Path(path).read_bytes()).decode()


@asynccontextmanager
async def _hook(directory: Path) -> AsyncIterator[tuple[int, str]]:
    """A webhook for `hook.default.svc` and 127.0.0.1: its port and its CA bundle."""
    authority = Authority(directory)
    bundle = _base64(authority.ca_file)
    pair = authority.issue("hook", hosts=("hook.default.svc", "127.0.0.1"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert_file, pair.key_file)
    app = web.Application()
    app.router.add_post("/{tail:.*}", _echo)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    try:
        yield port, bundle
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _calls(cache: WatchCache | None = None) -> AsyncIterator[WebhookCalls]:
    clients = ClusterClients(Endpoints(cache or WatchCache(), Random(1)), Dialler())
    try:
        yield WebhookCalls(clients)
    finally:
        await clients.aclose()


def _cache(**spec: Any) -> WatchCache:
    cache = WatchCache()
    service = {"metadata": {"name": "hook", "namespace": "default"}, "spec": spec}
    value = pack([1, {}, Raw(pack(service))])
    cache.apply([StoreChange("/kubus/services.core/default/hook", value, 5, 5, None)])
    return cache


async def test_a_webhook_is_called_by_its_url(tmp_path: Path) -> None:
    async with _hook(tmp_path) as (port, bundle), _calls() as calls:
        config = {"url": f"https://127.0.0.1:{port}/x", "caBundle": bundle}
        assert await calls.call(config, {"a": 1}, timeout_seconds=5) == {"path": "/x", "got": {"a": 1}}


async def test_a_service_is_called_under_its_name(tmp_path: Path) -> None:
    async with (
        _hook(tmp_path) as (port, bundle),
        _calls(_cache(type="ExternalName", externalName="127.0.0.1")) as calls,
    ):
        service = {"namespace": "default", "name": "hook", "port": port, "path": "/convert"}
        answer = await calls.call({"service": service, "caBundle": bundle}, {}, timeout_seconds=5)
        assert answer["path"] == "/convert"


@pytest.mark.parametrize(
    ("path", "words"),
    [("slow", "context deadline exceeded"), ("broken", "no object"), ("refused", "status 400")],
)
async def test_an_answer_that_is_none_says_why(tmp_path: Path, path: str, words: str) -> None:
    async with _hook(tmp_path) as (port, bundle), _calls() as calls:
        config = {"url": f"https://127.0.0.1:{port}/{path}", "caBundle": bundle}
        with pytest.raises(WebhookFailed, match=words):
            await calls.call(config, {}, timeout_seconds=0.3)


async def test_a_webhook_that_nobody_vouches_for_is_not_called(tmp_path: Path) -> None:
    async with _hook(tmp_path) as (port, _), _calls() as calls:
        with pytest.raises(WebhookFailed, match="certificate"):
            await calls.call({"url": f"https://127.0.0.1:{port}/"}, {}, timeout_seconds=5)


async def test_a_service_that_is_not_there_is_not_called() -> None:
    async with _calls() as calls:
        with pytest.raises(WebhookFailed, match='service "b" not found'):
            await calls.call({"service": {"namespace": "a", "name": "b"}}, {}, timeout_seconds=5)
    async with _calls(_cache(ports=[{"port": 443}])) as calls:
        with pytest.raises(WebhookFailed, match='no endpoints available for service "hook"'):
            await calls.call({"service": {"namespace": "default", "name": "hook"}}, {}, timeout_seconds=5)


def test_a_service_is_named_with_its_namespace() -> None:
    assert url_of({"service": {"namespace": "a", "name": "b", "path": "/c"}}) == "https://b.a.svc:443/c"
    assert url_of({"url": "https://elsewhere/"}) == "https://elsewhere/"


async def test_a_long_answer_is_read_whole(tmp_path: Path) -> None:
    async with _hook(tmp_path) as (port, bundle), _calls() as calls:
        config = {"url": f"https://127.0.0.1:{port}/long", "caBundle": bundle}
        answer = await calls.call(config, {}, timeout_seconds=5)
        assert len(answer["text"]) == 3_000_000
