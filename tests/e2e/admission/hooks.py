"""Webhooks over real HTTPS, for tests."""

from __future__ import annotations

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.e2e.admission.conftest import Client

from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import free_port

GROUP = "/apis/admissionregistration.k8s.io/v1"
Reviewer = Callable[[dict[str, Any]], dict[str, Any]]
"""From the request of a review to its response."""


class Hooks:
    """Answers reviews by path; an unknown path allows; `hang` waits for an event, `elsewhere` redirects."""

    def __init__(self, url: str, bundle: str, hanging: asyncio.Event | None = None) -> None:
        self._hanging = hanging
        self.url = url
        self.bundle = bundle
        self.reviewers: dict[str, Reviewer] = {}
        self.requests: list[dict[str, Any]] = []
        """What was asked, as it came."""

    def hook(self, path: str, rules: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
        """A webhook of a configuration."""
        return {
            "name": f"{path}.example.com",
            "clientConfig": {"url": f"{self.url}/{path}", "caBundle": self.bundle},
            "rules": rules,
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "matchConditions": [{"name": "own", "expression": "!request.userInfo.username.startsWith('system:')"}],
            **fields,
        }

    async def answer(self, request: web.Request) -> web.Response:
        """The answer to a review."""
        review = await request.json()
        asked = review["request"]
        self.requests.append(asked)
        if request.path == "/elsewhere":
            raise web.HTTPFound("/")
        if request.path == "/hang" and self._hanging is not None:
            await self._hanging.wait()
        reviewer = self.reviewers.get(request.path.strip("/"))
        response = {"uid": asked["uid"], "allowed": True, **(reviewer(asked) if reviewer else {})}
        return web.json_response({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response})


def patch(*operations: tuple[str, str, Any]) -> dict[str, Any]:
    """The response that patches."""
    steps = [{"op": op, "path": path, "value": value} for op, path, value in operations]
    return {"patchType": "JSONPatch", "patch": b64encode(json.dumps(steps).encode()).decode()}


def _bundle(authority: Authority) -> str:
    return b64encode(Path(authority.ca_file).read_bytes()).decode()


@asynccontextmanager
async def serving(directory: Path, hanging: asyncio.Event | None = None) -> AsyncIterator[Hooks]:
    """A server of webhooks."""
    authority = Authority(directory)
    pair = authority.issue("hook", hosts=("127.0.0.1",))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert_file, pair.key_file)
    port = free_port()
    hooks = Hooks(f"https://127.0.0.1:{port}", _bundle(authority), hanging)
    app = web.Application()
    app.router.add_post("/{tail:.*}", hooks.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    try:
        yield hooks
    finally:
        await runner.cleanup()


async def configure(client: Client, kind: str, *webhooks: dict[str, Any], name: str = "h") -> None:
    """Create a configuration; this server asks from now on."""
    body = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}}
    path = f"{GROUP}/{kind.lower()}s"
    await client.ok("POST", path, {**body, "webhooks": list(webhooks)})
    await client.until(f"{path}/{name}")
