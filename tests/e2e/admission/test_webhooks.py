"""Webhooks over real HTTPS, in front of kubectl."""

from __future__ import annotations

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.e2e.admission.conftest import Client

from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import free_port

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
GROUP = "/apis/admissionregistration.k8s.io/v1"


async def _review(request: web.Request) -> web.Response:
    review = await request.json()
    asked = review["request"]
    response: dict[str, Any] = {"uid": asked["uid"], "allowed": True}
    if request.path == "/mutate":
        patch = [{"op": "add", "path": "/metadata/labels", "value": {"seen": "yes"}}]
        response |= {"patchType": "JSONPatch", "patch": b64encode(json.dumps(patch).encode()).decode()}
    elif "bad" in (asked["object"].get("data") or {}):
        response |= {"allowed": False, "status": {"message": "bad is bad"}, "warnings": ["think again"]}
    elif request.path == "/elsewhere":
        raise web.HTTPFound("/validate")
    return web.json_response({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response})


def _bundle(authority: Authority) -> str:
    return b64encode(Path(authority.ca_file).read_bytes()).decode()


@asynccontextmanager
async def _serving(directory: Path) -> AsyncIterator[tuple[str, str]]:
    """The webhook's URL and CA bundle."""
    authority = Authority(directory)
    bundle = _bundle(authority)
    pair = authority.issue("hook", hosts=("127.0.0.1",))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert_file, pair.key_file)
    app = web.Application()
    app.router.add_post("/{tail:.*}", _review)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    try:
        yield f"https://127.0.0.1:{port}", bundle
    finally:
        await runner.cleanup()


async def _configure(client: Client, kind: str, url: str, bundle: str) -> None:
    hook = {
        "name": "hook.example.com",
        "clientConfig": {"url": url, "caBundle": bundle},
        "rules": [RULE],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "matchConditions": [{"name": "own", "expression": "!request.userInfo.username.startsWith('system:')"}],
    }
    body = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "h"}}
    path = f"{GROUP}/{kind.lower()}s"
    await client.ok("POST", path, {**body, "webhooks": [hook]})
    await client.until(f"{path}/h")


async def test_webhooks_change_and_refuse_what_kubectl_creates(both: tuple[Client, Client], tmp_path: Path) -> None:
    client = both[0]
    kubectl = client.server.kubectl
    async with _serving(tmp_path) as (url, bundle):
        await _configure(client, "MutatingWebhookConfiguration", f"{url}/mutate", bundle)
        await _configure(client, "ValidatingWebhookConfiguration", f"{url}/validate", bundle)
        await asyncio.sleep(0.2)
        made = await kubectl("create", "configmap", "good", "--from-literal=a=1", "-o", "jsonpath={.metadata.labels}")
        assert made.out == '{"seen":"yes"}'
        refused = await kubectl("create", "configmap", "wrong", "--from-literal=bad=1")
        assert refused.code == 1
        assert 'admission webhook "hook.example.com" denied the request: bad is bad' in refused.err
        dry = await kubectl("create", "configmap", "dry", "--dry-run=server", "-o", "jsonpath={.metadata.labels.seen}")
        assert dry.out == "yes"
    gone = await kubectl("create", "configmap", "late")
    assert 'failed calling webhook "hook.example.com"' in gone.err


async def test_a_redirect_is_a_failure(both: tuple[Client, Client], tmp_path: Path) -> None:
    async with _serving(tmp_path) as (url, bundle):
        await _configure(both[0], "ValidatingWebhookConfiguration", f"{url}/elsewhere", bundle)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}
        code, answer = await both[0]("POST", "/api/v1/namespaces/default/configmaps", body)
        assert code == 500
        assert "status 302" in answer["message"]
