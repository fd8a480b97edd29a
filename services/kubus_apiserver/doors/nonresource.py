"""Paths that are no resource: health, version, metrics, discovery, OpenAPI, and OpenID's two documents."""

from __future__ import annotations

from hashlib import sha512

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from kubus.model.codec import to_json
from kubus.model.errors import method_not_allowed, path_not_found
from kubus.model.kinds import Registry
from kubus.model.objects import Object
from kubus.model.schema import Schemas
from kubus_apiserver.access import openid
from kubus_apiserver.access.service_accounts import ISSUER
from kubus_apiserver.access.tokens import NO_KEYS, Keys
from kubus_apiserver.documents import discovery
from kubus_apiserver.documents.foreign import Foreigners, nobody
from kubus_apiserver.documents.openapi import OpenApi
from kubus_apiserver.documents.openapi_v2_documents import OpenApiV2
from kubus_apiserver.doors.answers import Answer, Call
from kubus_apiserver.doors.health import PATHS, Checks, health
from kubus_apiserver.doors.queries import first
from kubus_apiserver.reading.negotiation import Offer, negotiate
from kubus_apiserver.reading.representations import encoded

_DOCUMENTS = Offer(tables=False, metadata=False)
_VERSION = {
    "major": "1",
    "minor": "37",
    "gitVersion": "v1.37.0+kubus",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "CPython",
    "platform": "linux/amd64",
}


class NonResource:
    """Answers paths that are no resource."""

    def __init__(
        self,
        registry: Registry,
        schemas: Schemas,
        checks: Checks,
        metrics: CollectorRegistry,
        address: str,
        *,
        keys: Keys = NO_KEYS,
        foreigners: Foreigners = nobody,
    ) -> None:
        self._registry = registry
        self._foreigners = foreigners
        self._openapi_documents = OpenApi(
            registry, schemas, lambda kind: kind.custom.schema if kind.custom else None, foreigners
        )
        self._openapi_v2 = OpenApiV2(self._openapi_documents)
        self._checks = checks
        self._metrics = metrics
        self._address = address
        self._keys = keys

    async def answer(self, call: Call) -> Answer:
        """The answer to a path.

        Raises:
            StatusError: 404, 405.
        """
        path = call.path.rstrip("/") or "/"
        if call.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        if path == "/":
            return Answer(200, to_json({"paths": discovery.paths(self._registry, self._checks)}))
        first = path.split("/")[1]
        if first in PATHS:
            return await health(self._checks, path, call.query)
        if path == "/version":
            return Answer(200, to_json(_VERSION))
        if path == "/api" or path.startswith(("/api/", "/apis")):
            return self._discovery(path, call.accept)
        if path == "/openapi/v2":
            return await self._openapi_v2.answer(call.accept, call.if_none_match)
        if path.startswith("/openapi/v3"):
            return self._openapi(path, call)
        if path == openid.CONFIGURATION_PATH:
            return openid.configuration(self._keys, ISSUER, f"https://{self._address}")
        if path == openid.KEYS_PATH:
            return openid.key_set(self._keys)
        if path == "/metrics":
            return Answer(200, generate_latest(self._metrics), CONTENT_TYPE_LATEST)
        raise path_not_found()

    def _discovery(self, path: str, accept: str) -> Answer:
        registry, foreign = self._registry, self._foreigners()
        if path in ("/api", "/apis"):
            for version in ("v2", "v2beta1"):
                if (
                    f"v={version};" in f"{accept.replace(' ', '').replace(',', ';')};"
                    and "as=APIGroupDiscoveryList" in accept
                ):
                    found: Object | None = discovery.aggregated(
                        registry, core=path == "/api", version=version, foreign=foreign
                    )
                    media = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
                    return Answer(200, to_json(found), media)
            found = (
                discovery.api_versions(self._address) if path == "/api" else discovery.api_group_list(registry, foreign)
            )
        else:
            parts = path.split("/")[2:]
            if path.startswith("/api/"):
                parts = ["", *parts]
            found = (
                discovery.api_group(registry, parts[0], foreign)
                if len(parts) == 1
                else discovery.api_resource_list(registry, parts[0], "/".join(parts[1:]))
            )
        if found is None:
            raise path_not_found()
        form = negotiate(accept, _DOCUMENTS)
        return Answer(200, encoded(found, form), form.media)

    def _openapi(self, path: str, call: Call) -> Answer:
        name = path.removeprefix("/openapi/v3").strip("/")
        if not name:
            return self._openapi_index(call)
        document = self._openapi_documents.document_gzip(name)
        if document is None:
            raise path_not_found()
        etag = self._openapi_documents.digest(name) or ""
        if etag and f'"{etag}"' in call.if_none_match:
            return Answer(304, b"", etag=etag)
        wanted = first(call.query, "hash")
        if wanted not in ("", etag):
            return Answer(301, b"", etag=etag, location=f"/openapi/v3/{name}?hash={etag}")
        return Answer(200, document, etag=etag, encoding="gzip", immutable=bool(wanted))

    def _openapi_index(self, call: Call) -> Answer:
        body = to_json(self._openapi_documents.index())
        etag = sha512(body).hexdigest().upper()
        if f'"{etag}"' in call.if_none_match:
            return Answer(304, b"", etag=etag)
        return Answer(200, body, etag=etag)
