"""Requests put through, between real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kubus.testing.etcd_server import free_port
from kubus_apiserver.doors.answers import Answer
from kubus_apiserver.doors.general import Written
from kubus_apiserver.forwarding.clients import ClusterClients
from kubus_apiserver.forwarding.dialling import Dialler
from kubus_apiserver.forwarding.endpoints import Destination, Endpoints
from kubus_apiserver.forwarding.forwarder import Forwarder
from kubus_apiserver.forwarding.forwards import Forward
from kubus_apiserver.reading.watchcache import WatchCache

OUTSIDE = "/a/proxy"


class Backend:
    """Who answers in the end."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        if request.path == "/ws":
            return await self._socket(request)
        if request.path == "/forever":
            return await self._forever(request)
        if request.path == "/switch":
            return web.Response(status=101, headers={"Connection": "Upgrade", "Upgrade": "tcp"})
        if request.path == "/moved":
            raise web.HTTPFound("/elsewhere")
        if request.path == "/page":
            return web.Response(text='<a href="/x">x</a>', content_type="text/html")
        if request.path == "/teapot":
            return web.Response(status=418, reason="Short and Stout", headers={"X-Kind": "pot"})
        body = await request.read()
        return web.Response(body=body, headers={"X-Url": request.raw_path, "Set-Cookie": "a=b"})

    async def _forever(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        try:
            while request.transport is not None and not request.transport.is_closing():
                await asyncio.sleep(0.05)
        finally:
            self.gone.set()
        return response

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        made = web.WebSocketResponse()
        await made.prepare(request)
        await made.send_str("hello")
        async for message in made:
            await made.send_str(str(message.data).upper())
        return made


@asynccontextmanager
async def serving(handler: Any) -> AsyncIterator[int]:
    """A server's port."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        await web.SockSite(runner, listening).start()
        yield listening.getsockname()[1]
        await runner.cleanup()


@asynccontextmanager
async def proxy(backend: Backend | None) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a proxy in front of a backend (None: of nobody)."""
    clients = ClusterClients(Endpoints(WatchCache(), Random(1)), Dialler())
    forwarder, dialler = Forwarder(clients), Dialler()
    async with serving(backend.handle if backend else None) as behind:
        to = Destination("127.0.0.1", behind if backend else free_port())
        forward = Forward(base=f"http://{to}", skip=2, dial=lambda: dialler.dial(to), outside=OUTSIDE)

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            done = await forwarder.serve(request, forward)
            if isinstance(done, Answer):
                return web.Response(status=done.code, body=done.body)
            return Written(keep_alive=done)

        async with serving(handle) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield session
    await clients.aclose()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_bodies_and_paths_go_through_as_they_are(method: str) -> None:
    sent = Random(1).randbytes(900_000) if method != "GET" else b""
    async with proxy(Backend()) as session:
        for _ in range(2):
            async with session.request(method, f"{OUTSIDE}/x%2Fy//z?q=%20&q", data=sent or None) as answer:
                assert await answer.read() == sent
                assert answer.headers["X-Url"] == "/x%2Fy//z?q=%20&q"
                assert answer.headers["Set-Cookie"] == "a=b"


async def test_a_body_of_unknown_length_goes_through() -> None:
    async def told() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"piece"

    async with proxy(Backend()) as session, session.post(f"{OUTSIDE}/", data=told()) as answer:
        assert await answer.read() == b"piecepiecepiece"


async def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    async with proxy(Backend()) as session, session.post(f"{OUTSIDE}/", data=b"body", expect100=True) as answer:
        assert await answer.read() == b"body"


async def test_an_answer_without_a_body_has_none() -> None:
    async with proxy(Backend()) as session:
        async with session.head(f"{OUTSIDE}/x") as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        async with session.get(f"{OUTSIDE}/teapot") as answer:
            assert (answer.status, answer.reason, answer.headers["X-Kind"]) == (418, "Short and Stout", "pot")


async def test_redirects_are_the_clients_to_follow() -> None:
    async with proxy(Backend()) as session:
        async with session.get(f"{OUTSIDE}/moved", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, f"{OUTSIDE}/elsewhere")
        async with session.get(f"{OUTSIDE}?a=b", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (301, f"{OUTSIDE}/?a=b")


async def test_links_of_a_page_lead_through_the_proxy() -> None:
    async with proxy(Backend()) as session, session.get(f"{OUTSIDE}/page") as answer:
        assert await answer.text() == f'<a href="{OUTSIDE}/x">x</a>'


async def test_an_upgrade_becomes_a_tunnel() -> None:
    async with proxy(Backend()) as session, session.ws_connect(f"{OUTSIDE}/ws") as made:
        assert await made.receive_str() == "hello"
        await made.send_str("again")
        assert await made.receive_str() == "AGAIN"


async def test_an_upgrade_that_is_refused_is_an_answer() -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
    async with proxy(Backend()) as session, session.get(f"{OUTSIDE}/teapot", headers=headers) as answer:
        assert answer.status == 418
        assert answer.headers["Connection"] == "close"


async def test_nobody_switches_protocols_unasked() -> None:
    """What the client says next would be taken for requests of its own."""
    async with proxy(Backend()) as session, session.get(f"{OUTSIDE}/switch") as answer:
        assert answer.status == 503


async def test_a_client_that_leaves_takes_its_request_along() -> None:
    backend = Backend()
    async with proxy(backend) as session:
        async with session.get(f"{OUTSIDE}/forever") as answer:
            assert await answer.content.readexactly(5) == b"first"
        async with asyncio.timeout(5):
            await backend.gone.wait()


@pytest.mark.parametrize("headers", [{}, {"Connection": "Upgrade", "Upgrade": "tcp"}])
async def test_nobody_there_is_503(headers: dict[str, str]) -> None:
    async with proxy(None) as session, session.get(f"{OUTSIDE}/x", headers=headers) as answer:
        assert answer.status == 503
        assert "error trying to reach service: dial tcp" in (await answer.json(content_type=None))["message"]
