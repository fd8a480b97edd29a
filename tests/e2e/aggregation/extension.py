"""A small extension apiserver: `metrics.k8s.io/v1beta1` over TLS, for those whom the front proxy names.

It knows the front proxy by the authority in the ConfigMap extension-apiserver-authentication, as any extension
apiserver does, and serves canned metrics, a watch that goes on, an echo of what it was asked, and a WebSocket.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import free_port

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
PATH = f"/apis/{GROUP}/{VERSION}"
USAGE = {"cpu": "250m", "memory": "512Mi"}
_RESOURCES = [
    {"name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics", "verbs": ["get", "list"]},
    {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list", "watch"]},
]
_DOCUMENT = {
    "openapi": "3.0.0",
    "info": {"title": "metrics", "version": "v1"},
    "paths": {f"{PATH}/nodes": {"get": {"responses": {"200": {"description": "OK"}}}}},
    "components": {"schemas": {"test.metrics.NodeMetrics": {"type": "object", "description": "What a node uses."}}},
}


class Extension:
    """A running extension apiserver and what it was asked."""

    def __init__(self, port: int, bundle: str) -> None:
        self.port = port
        self.bundle = bundle
        self.asked: list[dict[str, Any]] = []
        self.anybody = False
        """Whether others than the front proxy are answered, as by any server."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        name = request.transport and request.transport.get_extra_info("peercert")
        common = [value for part in (name or {}).get("subject", ()) for key, value in part if key == "commonName"]
        if common != ["front-proxy-client"] and not self.anybody:
            return web.json_response({"message": "who are you?"}, status=401)
        body = await request.text()
        asked = {
            "method": request.method,
            "url": request.path_qs,
            "headers": list(request.headers.items()),
            "body": body,
        }
        self.asked.append(asked)
        if request.path.startswith("/openapi"):
            return self._openapi(request.path)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        if request.path == "/validate":
            return _reviewed(json.loads(body))
        if request.path == PATH:
            listed = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{VERSION}"}
            return web.json_response({**listed, "resources": _RESOURCES})
        if request.path == f"{PATH}/nodes":
            kind = {"kind": "NodeMetricsList", "apiVersion": f"{GROUP}/{VERSION}", "metadata": {}}
            return web.json_response({**kind, "items": [_metrics("n1")]})
        if request.path == f"{PATH}/nodes/moved":
            raise web.HTTPFound("https://127.0.0.1:1/elsewhere")
        if request.path == f"{PATH}/pods" and "watch" in request.query:
            return await self._watch(request)
        if request.path.startswith(f"{PATH}/nodes/"):
            return web.json_response(_metrics(request.path.rpartition("/")[2]))
        return web.json_response({"echo": asked})

    def _openapi(self, path: str) -> web.Response:
        if path == "/openapi/v3":
            url = f"/openapi/v3/apis/{GROUP}/{VERSION}?hash=A1"
            return web.json_response({"paths": {f"apis/{GROUP}/{VERSION}": {"serverRelativeURL": url}}})
        return web.json_response(_DOCUMENT)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for number in range(2):
            event = {"type": "ADDED", "object": {**_metrics(f"p{number}"), "kind": "PodMetrics"}}
            await response.write(json.dumps(event).encode() + b"\n")
            await asyncio.sleep(0.05)
        await response.write_eof()
        return response

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("echo",))
        await socket.prepare(request)
        await socket.send_str("hello")
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data.upper())
        return socket


def _reviewed(review: dict[str, Any]) -> web.Response:
    """A webhook's answer: no data may be called bad."""
    asked = review["request"]
    bad = "bad" in (asked["object"].get("data") or {})
    response = {"uid": asked["uid"], "allowed": not bad, "status": {"message": "bad is bad"}}
    return web.json_response({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response})


def _metrics(name: str) -> dict[str, Any]:
    return {
        "kind": "NodeMetrics",
        "apiVersion": f"{GROUP}/{VERSION}",
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "timestamp": "2026-01-01T00:00:00Z",
        "window": "30s",
        "usage": USAGE,
    }


def _bundle(authority: Authority) -> str:
    return b64encode(Path(authority.ca_file).read_bytes()).decode()


@asynccontextmanager
async def running_extension(directory: Path, front_proxy_ca: str, host: str, service: str) -> AsyncIterator[Extension]:
    """An extension apiserver on a host's address whose certificate is for a Service."""
    authority = Authority(directory)
    pair = authority.issue("extension", hosts=(service,))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert_file, pair.key_file)
    tls.load_verify_locations(cadata=front_proxy_ca)
    tls.verify_mode = ssl.CERT_OPTIONAL
    made = Extension(free_port(), _bundle(authority))
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, made.port, ssl_context=tls).start()
    try:
        yield made
    finally:
        await runner.cleanup()
