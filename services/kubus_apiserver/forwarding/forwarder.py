"""Puts a request through to somebody else, and their answer back to the client.

Bodies stream both ways and are never held; redirects are never followed: those of a proxy go to the client, who has to
follow them with their own rights, those of an extension apiserver are refused, as in kube-aggregator. An upgrade
becomes a tunnel. Nothing is known of what is asked: who may ask it has been decided before.

https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from kubus_apiserver.doors.answers import Answer, failed, text
from kubus_apiserver.forwarding import tunnels
from kubus_apiserver.forwarding.clients import ClusterClients, Connector, client, trust
from kubus_apiserver.forwarding.endpoints import not_reached
from kubus_apiserver.forwarding.forwards import Forward, Header, request_headers, response_headers, rest_of
from kubus_apiserver.forwarding.html_links import Links

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30.0)
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_LOOK_SECONDS = 1.0
"""How often it is looked whether the client of a silent answer is still there."""
_SWITCHING, _FIRST_FINAL, _REDIRECTION = 101, 200, 3
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NO_BODY = frozenset({204, 304})


class Forwarder:
    """Forwards requests of aiohttp's server."""

    def __init__(self, clients: ClusterClients) -> None:
        self._clients = clients

    async def serve(self, request: web.BaseRequest, forward: Forward) -> Answer | bool:
        """Put a request through: an answer yet to be given, or whether the connection takes another request."""
        whole, mark, query = request.raw_path.partition("?")
        path = rest_of(whole, forward.skip)
        if not path and request.method in ("GET", "HEAD"):
            return await _moved(request, f"{whole}/{mark}{query}")
        path = f"{path or '/'}{mark}{query}"
        try:
            if upgrade := _upgrade_of(request):
                return await self._tunnel(request, forward, path, upgrade)
            async with self._session(forward) as session:
                return await _exchange(session, request, forward, path)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return unreachable(forward, error)

    @asynccontextmanager
    async def _session(self, forward: Forward) -> AsyncIterator[aiohttp.ClientSession]:
        """The common client, or one whose only connection ends with it."""
        if (dial := forward.dial) is None:
            yield self._clients.session
            return
        async with client(Connector(lambda _url: dial(), force_close=True)) as own:
            yield own

    async def _tunnel(self, request: web.BaseRequest, forward: Forward, path: str, upgrade: str) -> Answer | bool:
        transport = request.transport
        if transport is None:
            return False
        there = await self._connected(forward)
        try:
            url = URL(forward.base)
            headers = request_headers(
                request.headers.items(), forward, source=request.remote or "", path=_shown(request), upgrade=upgrade
            )
            there[1].write(tunnels.request_head(request.method, path, url.raw_authority, headers))
            head = await tunnels.read_head(there[0])
            here = tunnels.Takeover(transport)
            try:
                if head.code == _SWITCHING:
                    here.writer.write(head.raw)
                    await tunnels.join((here.reader, here.writer), there)
                else:
                    await tunnels.pass_on(head, there[0], here.writer)
            finally:
                here.give_back()
        finally:
            there[1].close()
        return False

    async def _connected(self, forward: Forward) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        url = URL(forward.base)
        made = await (self._clients.dial(url) if forward.dial is None else forward.dial())
        options: dict[str, Any] = {}
        if url.scheme == "https":
            options = {"ssl": forward.tls or trust(""), "server_hostname": url.host}
        return await asyncio.open_connection(sock=made, **options)


async def _exchange(
    session: aiohttp.ClientSession, request: web.BaseRequest, forward: Forward, path: str
) -> Answer | bool:
    sent = request_headers(request.headers.items(), forward, source=request.remote or "", path=_shown(request))
    asking = session.request(
        request.method,
        URL(f"{forward.base}{path}", encoded=True),
        headers=CIMultiDict(sent),
        data=_body(request) if request.body_exists else None,
        ssl=forward.tls or True,
        allow_redirects=False,
        skip_auto_headers=_AUTOMATIC,
        timeout=_NO_TIMEOUT,
    )
    async with asking as answer:
        if answer.status < _FIRST_FINAL:
            raise ConnectionError("the server switched protocols, which nobody had asked for")
        if forward.aggregated and answer.status // 100 == _REDIRECTION and answer.headers.get("Location"):
            return text(502, "the backend attempted to redirect this request, which is not permitted")
        headers = response_headers(answer.headers.items(), forward)
        links = Links(forward) if forward.outside and _is_html(answer) else None
        if links is not None:
            headers = [each for each in headers if each[0].lower() != "content-length"]
        return await _give(request, answer, headers, links)


async def _moved(request: web.BaseRequest, location: str) -> bool:
    """The root of a proxy has a slash, or its links would lead elsewhere."""
    body = f'<a href="{escape(location)}">Moved Permanently</a>.\n\n'.encode()
    headers = {"Location": location, "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
    await request.writer.write_headers("HTTP/1.1 301 Moved Permanently", CIMultiDict(headers))
    await request.writer.write_eof(b"" if request.method == "HEAD" else body)
    return bool(request.keep_alive)


async def _give(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: list[Header], links: Links | None
) -> bool:
    """Give the client an answer; whether all went well."""
    writer = request.writer
    sent = CIMultiDict(headers)
    empty = request.method == "HEAD" or answer.status in _NO_BODY
    keep = bool(request.keep_alive) and not (request.body_exists and not request.content.at_eof())
    if "Content-Length" not in sent and not empty:
        sent["Transfer-Encoding"] = "chunked"
        writer.enable_chunking()
    if not keep:
        sent["Connection"] = "close"
    try:
        await writer.write_headers(f"HTTP/1.1 {answer.status} {answer.reason or '-'}", sent)
        writer.send_headers()
        async for chunk in _chunks(request, answer):
            if piece := chunk if links is None else links.feed(chunk):
                await writer.write(piece)
        await writer.write_eof(b"" if links is None else links.rest())
    except (aiohttp.ClientError, OSError):
        return False  # one side has gone in the midst of it: the client sees a broken answer
    return keep


async def _chunks(request: web.BaseRequest, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The answer's body, as long as there is a client."""
    while request.transport is not None and not request.transport.is_closing():
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                chunk = await answer.content.readany()
        except TimeoutError:
            continue
        if not chunk:
            return
        yield chunk


def _is_html(answer: aiohttp.ClientResponse) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html") and "Content-Encoding" not in answer.headers


async def _body(request: web.BaseRequest) -> AsyncIterator[bytes]:
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(_CONTINUE)
    async for chunk in request.content.iter_any():
        yield chunk


def _upgrade_of(request: web.BaseRequest) -> str:
    wanted = [each.strip().lower() for each in request.headers.get("Connection", "").split(",")]
    return request.headers.get("Upgrade", "") if "upgrade" in wanted else ""


def _shown(request: web.BaseRequest) -> str:
    return request.raw_path.partition("?")[0]


def unreachable(forward: Forward, error: Exception) -> Answer:
    """Nobody answered."""
    refusal = not_reached(f"error trying to reach service: {str(error) or type(error).__name__}")
    if forward.aggregated:
        return text(503, refusal.message)
    return failed(refusal)
