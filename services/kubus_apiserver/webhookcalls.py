"""Calls to webhooks: where one is, how it proves who it is, and what came back.

A webhook is named by a URL, or by a Service of the cluster: then one of its ready endpoints is called under the name
`<service>.<namespace>.svc`, for which its certificate has to be (`kubus_apiserver.forwarding.clients`). Whom to trust
stands in `caBundle`; without one, whom the system trusts. What is wrong with a call is a `WebhookFailed`, and what
follows from that is for who called.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook
"""

from __future__ import annotations

import asyncio
import ssl

import aiohttp

from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.objects import Object
from kubus_apiserver.forwarding.clients import ClusterClients, service_host, trust, whole

_WORDS_MAX = 256
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}


class WebhookFailed(Exception):
    """The webhook gave no answer that can be used; says why."""


class WebhookCalls:
    """Calls webhooks over HTTPS."""

    def __init__(self, clients: ClusterClients) -> None:
        self._clients = clients

    async def call(self, config: Object, body: Object, *, timeout_seconds: float) -> Object:
        """The JSON object that a webhook answers to one; `config` is its clientConfig. It is told how long it has.

        Raises:
            WebhookFailed: there is no such Service, no answer in time, or none that is a JSON object.
        """
        url = url_of(config)
        url += f"{'&' if '?' in url else '?'}timeout={int(timeout_seconds)}s"
        try:
            tls = trust(config.get("caBundle") or "")
            async with asyncio.timeout(timeout_seconds):
                return await self._post(url, tls, to_json(body))
        except TimeoutError:
            raise WebhookFailed(f'Post "{url}": context deadline exceeded') from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise WebhookFailed(f'Post "{url}": {str(error)[:_WORDS_MAX] or type(error).__name__}') from None

    async def _post(self, url: str, tls: ssl.SSLContext, body: bytes) -> Object:
        asking = self._clients.session.post(url, data=body, ssl=tls, headers=_HEADERS, allow_redirects=False)
        async with asking as answer:
            data = await whole(answer)
            if answer.status // 100 != 2:
                words = data[:_WORDS_MAX].decode(errors="replace")
                raise WebhookFailed(f"an error on the server ({words!r}) with status {answer.status}")
        try:
            value = from_json(data)
        except DecodeError as error:
            raise WebhookFailed(f"the answer is no JSON: {error}") from None
        if not isinstance(value, dict):
            raise WebhookFailed("the answer is no object")
        return value


def url_of(config: Object) -> str:
    """Where a clientConfig points: a Service has the host `<name>.<namespace>.svc`."""
    if config.get("url"):
        return str(config["url"])
    service = config.get("service") or {}
    host = service_host(service.get("namespace") or "", service.get("name") or "")
    path = (service.get("path") or "").lstrip("/")
    return f"https://{host}:{service.get('port') or 443}/{path}"
