"""HTTP clients over connections that are dialled here.

A connector of aiohttp's that asks a function for a socket: names like `metrics.kube-system.svc` mean Services of the
cluster and are resolved to an endpoint at each new connection (`ClusterClients`), whatever else is looked up as
usual. Connections are kept and used again, so a call to a webhook seldom waits for a handshake.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64decode
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from kubus.model.errors import StatusError
from kubus_apiserver.forwarding.dialling import DialFailed, Dialler
from kubus_apiserver.forwarding.endpoints import Destination, Endpoints

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.tracing import Trace

_HOST = ".svc"
_ANSWER_BYTES_MAX = 16 * 1024 * 1024
Dial = Callable[[URL], Awaitable[socket.socket]]


class Connector(aiohttp.BaseConnector):
    """Connects by a function."""

    def __init__(self, dial: Dial, *, force_close: bool = False) -> None:
        super().__init__(force_close=force_close, limit=0)
        self._dial = dial

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        made = await self._dial(req.url)
        try:
            secure: dict[str, Any] = {}
            if req.is_ssl():
                tls = req.ssl if isinstance(req.ssl, ssl.SSLContext) else trust("")
                secure = {"ssl": tls, "server_hostname": req.server_hostname or req.url.host}
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_connection(self._factory, sock=made, **secure)
        except BaseException:
            made.close()
            raise
        return protocol


class ClusterClients:
    """A client that reaches Services of the cluster by their names, and the world by its own."""

    def __init__(self, endpoints: Endpoints, dialler: Dialler) -> None:
        self._endpoints = endpoints
        self._dialler = dialler
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The client; its connections are kept for a while."""
        if self._session is None:
            self._session = client(Connector(self.dial))
        return self._session

    def fresh(self) -> aiohttp.ClientSession:
        """A client that makes a connection for each request, and so finds out who is there now."""
        return client(Connector(self.dial, force_close=True))

    async def dial(self, url: URL) -> socket.socket:
        """A connection to the host of a URL.

        Raises:
            DialFailed: nobody answers, or the Service has no endpoint.
        """
        return await self._dialler.dial(self.destination(url))

    def destination(self, url: URL) -> Destination:
        """Where a URL leads.

        Raises:
            DialFailed: to a Service that is not there, or has no endpoint.
        """
        host, port = url.host or "", url.port or 443
        parts = host.removesuffix(_HOST).split(".")
        if not host.endswith(_HOST) or len(parts) != 2:
            return Destination(host, port)
        try:
            return self._endpoints.of_service(parts[1], parts[0], port)
        except StatusError as error:
            raise DialFailed(f'service "{parts[0]}" not found' if error.code == 404 else error.message) from None

    async def aclose(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()


def client(connector: Connector) -> aiohttp.ClientSession:
    """A client that hands on what it gets: bodies as they are, no cookies."""
    return aiohttp.ClientSession(connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())


async def whole(answer: aiohttp.ClientResponse) -> bytes:
    """The body of an answer.

    Raises:
        ValueError: it is too large.
    """
    chunks, size = [], 0
    async for chunk in answer.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > _ANSWER_BYTES_MAX:
            raise ValueError(f"the answer is larger than {_ANSWER_BYTES_MAX} bytes")
    return b"".join(chunks)


def service_host(namespace: str, name: str) -> str:
    """The name under which a Service is called, for which its certificate has to be."""
    return f"{name}.{namespace}{_HOST}"


@lru_cache(maxsize=256)
def trust(bundle: str, *, verify: bool = True, client: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """TLS as a client that trusts a base64 CA bundle, or ("") whom the system trusts; made once, as it takes long.

    Raises:
        ValueError, OSError: the bundle holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if bundle else ssl.create_default_context()
    if bundle:
        context.load_verify_locations(cadata=b64decode(bundle).decode())
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client is not None:
        context.load_cert_chain(*client)
    return context
