"""Calls to webhooks: where one is, how it proves who it is, and what came back.

A webhook is named by a URL, or by a Service of the cluster: that is resolved in the cache, and called by its cluster IP
under the name `<service>.<namespace>.svc`, for which its certificate has to be. Whom to trust stands in `caBundle`;
without one, whom the system trusts. What is wrong with a call is a `WebhookFailed`, and what follows from that is for
who called.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64decode
from functools import lru_cache
from typing import Any, NamedTuple

import aiohttp

from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.objects import Key, Object, path_of
from kubus_apiserver.reading.watchcache import WatchCache

_ANSWER_BYTES_MAX = 16 * 1024 * 1024
_WORDS_MAX = 256


class WebhookFailed(Exception):
    """The webhook gave no answer that can be used; says why."""


class Address(NamedTuple):
    """Where a webhook is."""

    url: str
    server_name: str = ""
    """The name that its certificate is for, where that is not the URL's."""


class WebhookCalls:
    """Calls webhooks over HTTPS. `aclose` it."""

    def __init__(self, cache: WatchCache) -> None:
        self._cache = cache
        self._session: aiohttp.ClientSession | None = None

    async def call(self, config: Object, body: Object, *, timeout_seconds: float) -> Object:
        """The JSON object that a webhook answers to one; `config` is its clientConfig.

        Raises:
            WebhookFailed: there is no such Service, no answer in time, or none that is a JSON object.
        """
        try:
            address = self.address(config)
            trust = _trust(config.get("caBundle") or "")
            async with asyncio.timeout(timeout_seconds):
                return await self._post(address, trust, to_json(body))
        except TimeoutError:
            raise WebhookFailed("context deadline exceeded") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise WebhookFailed(str(error)[:_WORDS_MAX] or type(error).__name__) from None

    def address(self, config: Object) -> Address:
        """Where a clientConfig points.

        Raises:
            WebhookFailed: to nothing.
        """
        if config.get("url"):
            return Address(config["url"])
        service = config.get("service") or {}
        namespace, name = service.get("namespace") or "", service.get("name") or ""
        entry = self._cache.get(Key("services.core", namespace, name))
        if entry is None:
            raise WebhookFailed(f'service "{name}" not found')
        port = service.get("port") or 443
        path = (service.get("path") or "").lstrip("/")
        host = path_of(entry.object, "spec", "clusterIP", default="")
        if path_of(entry.object, "spec", "type") == "ExternalName":
            host = path_of(entry.object, "spec", "externalName", default="")
        if not host or host == "None":
            raise WebhookFailed(f'service "{name}" has no cluster IP')
        shown = f"[{host}]" if ":" in host else host
        return Address(f"https://{shown}:{port}/{path}", f"{name}.{namespace}.svc")

    async def _post(self, address: Address, trust: ssl.SSLContext, body: bytes) -> Object:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"Content-Type": "application/json"})
        options: dict[str, Any] = {"server_hostname": address.server_name} if address.server_name else {}
        async with self._session.post(address.url, data=body, ssl=trust, allow_redirects=False, **options) as answer:
            data = await _whole(answer.content)
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

    async def aclose(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()


async def _whole(content: aiohttp.StreamReader) -> bytes:
    chunks, size = [], 0
    async for chunk in content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > _ANSWER_BYTES_MAX:
            raise WebhookFailed(f"the answer is larger than {_ANSWER_BYTES_MAX} bytes")
    return b"".join(chunks)


@lru_cache(maxsize=256)
def _trust(bundle: str) -> ssl.SSLContext:
    """A context for a base64 CA bundle; made once, as it takes a millisecond."""
    context = ssl.create_default_context()
    if bundle:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=b64decode(bundle).decode())
    return context
