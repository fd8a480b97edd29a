"""Extension apiservers: those whose APIServices name a Service, as they are asked what they serve.

One request for the list of resources of its group version shows that an extension apiserver is there and answers as
one; the same list is what discovery tells of it. Its OpenAPI document is fetched when its hash has changed. All of this
is asked as `system:kube-aggregator` in `system:masters`, which an extension apiserver always lets in.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from kubus.model.codec import DecodeError, from_json
from kubus.model.objects import Object, path_of
from kubus_apiserver.aggregation.availability import PASSED, Verdict, failed_check, is_available
from kubus_apiserver.calls import MASTERS, User
from kubus_apiserver.documents.foreign import Foreign
from kubus_apiserver.documents.priorities import Priority
from kubus_apiserver.forwarding.clients import ClusterClients, service_host, trust, whole
from kubus_apiserver.forwarding.forwards import Forward, remote_user

_ASKING = User("system:kube-aggregator", (MASTERS,))
_ATTEMPTS = 5
_SECONDS = 5.0
FrontProxy = tuple[Path, Path]
"""Certificate and key by which extension apiservers know this one."""


@dataclass
class Extension:
    """A group version of an extension apiserver."""

    apiservice: Object
    resources: tuple[Object, ...] = ()
    openapi_url: str = ""
    document: Object | None = None

    @property
    def group(self) -> str:
        """Of the API."""
        return str(path_of(self.apiservice, "spec", "group", default=""))

    @property
    def version(self) -> str:
        """Of the group."""
        return str(path_of(self.apiservice, "spec", "version", default=""))

    @property
    def path(self) -> str:
        """Where its resources are: `apis/metrics.k8s.io/v1beta1`."""
        return f"apis/{self.group}/{self.version}" if self.group else f"api/{self.version}"

    @property
    def foreign(self) -> Foreign:
        """As discovery and OpenAPI show it."""
        spec = self.apiservice["spec"]
        priority = Priority(int(spec.get("groupPriorityMinimum") or 0), int(spec.get("versionPriority") or 0))
        fresh = is_available(self.apiservice)
        return Foreign(self.group, self.version, priority, self.resources, fresh, self.openapi_url, self.document)

    @property
    def base(self) -> str:
        """The URL under which it is called."""
        service = self.apiservice["spec"]["service"]
        host = service_host(service.get("namespace") or "", service.get("name") or "")
        return f"https://{host}:{service.get('port') or 443}"

    def forward(self, user: User, front_proxy: FrontProxy | None) -> Forward:
        """A user's request on its way there.

        Raises:
            ValueError, OSError: its caBundle holds no certificate.
        """
        spec = self.apiservice["spec"]
        tls = trust(spec.get("caBundle") or "", verify=not spec.get("insecureSkipTLSVerify"), client=front_proxy)
        return Forward(base=self.base, tls=tls, headers=remote_user(user), aggregated=True)


class Asker:
    """Asks extension apiservers what they serve."""

    def __init__(self, clients: ClusterClients, front_proxy: FrontProxy | None) -> None:
        self._clients = clients
        self._front_proxy = front_proxy

    async def ask(self, extension: Extension) -> Verdict:
        """Whether it answers as it should. What it says of itself is noted in it."""
        url = f"{extension.base}/{extension.path}"
        words = ""
        try:
            async with asyncio.timeout(_SECONDS):
                for _ in range(_ATTEMPTS):
                    code, said, words = await self._tried(extension, f"/{extension.path}")
                    if code // 100 == 2:
                        extension.resources = _resources(said)
                        await self._read_openapi(extension)
                        return PASSED
        except TimeoutError:
            words = words or f'Get "{url}": context deadline exceeded'
        return failed_check(f"failing or missing response from {url}: {words}")

    async def _tried(self, extension: Extension, path: str) -> tuple[int, Any, str]:
        """(code, JSON, what is wrong)."""
        url = f"{extension.base}{path}"
        try:
            code, said = await self._get(extension, path)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return 0, None, f'Get "{url}": {str(error) or type(error).__name__}'
        return code, said, "" if code // 100 == 2 else f"bad status from {url}: {code}"

    async def _read_openapi(self, extension: Extension) -> None:
        code, index, _ = await self._tried(extension, "/openapi/v3")
        url = path_of(index, "paths", extension.path, "serverRelativeURL", default="") if code == 200 else ""
        if not isinstance(url, str) or not url.startswith("/"):
            extension.openapi_url, extension.document = "", None
        elif url != extension.openapi_url:
            code, document, _ = await self._tried(extension, url)
            if code == 200 and isinstance(document, dict) and isinstance(document.get("paths"), dict):
                extension.openapi_url, extension.document = url, document

    async def _get(self, extension: Extension, path: str) -> tuple[int, Any]:
        forward = extension.forward(_ASKING, self._front_proxy)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", **dict(forward.headers)}
        url, tls = f"{forward.base}{path}", forward.tls or True
        async with (
            self._clients.fresh() as session,
            session.get(url, ssl=tls, headers=headers, allow_redirects=False) as answer,
        ):
            data = await whole(answer)
        try:
            return answer.status, from_json(data)
        except DecodeError:
            return answer.status, None


def _resources(said: Any) -> tuple[Object, ...]:
    listed = said.get("resources") if isinstance(said, dict) else None
    return tuple(each for each in listed if isinstance(each, dict)) if isinstance(listed, list) else ()
