"""Probe handlers against real sockets."""

from __future__ import annotations

import asyncio

import pytest

from kubus.service.netns import NodeNamespace
from kubus_kubelet.handlers import Handlers


@pytest.fixture
def handlers():
    namespace = NodeNamespace("")
    yield Handlers(namespace)
    namespace.close()


@pytest.fixture
async def server():
    requests = []

    async def serve(reader, writer):
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        requests.append(request)
        path = request.split(" ")[1]
        if path == "/slow":
            await asyncio.sleep(5)
        code = {"/ok": "204 No Content", "/moved": "302 Found", "/bad": "500 Oops"}.get(path, "404 Not Found")
        writer.write(f"HTTP/1.1 {code}\r\nContent-Length: 0\r\n\r\n".encode() if path != "/odd" else b"hello\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield listening.sockets[0].getsockname()[1], requests
    listening.close()


@pytest.mark.parametrize(
    ("path", "ok", "words"),
    [
        ("/ok", True, ""),
        ("/moved", True, ""),
        ("/bad", False, "HTTP probe failed with statuscode: 500"),
        ("/none", False, "HTTP probe failed with statuscode: 404"),
        ("/odd", False, "malformed HTTP response"),
    ],
)
async def test_http(handlers, server, path, ok, words):
    headers = [{"name": "x-who", "value": "me"}]
    probe = {"httpGet": {"path": path, "port": server[0], "httpHeaders": headers}}
    outcome = await handlers.probe(probe, {}, "c", "127.0.0.1")
    assert outcome.ok is ok
    assert words in outcome.output
    assert "User-Agent: kube-probe/" in server[1][0]
    assert "X-Who: me\r\n" in server[1][0]


async def test_an_answer_that_is_late_is_a_failure(handlers, server):
    probe = {"httpGet": {"path": "/slow", "port": server[0]}, "timeoutSeconds": 0.1}
    outcome = await handlers.probe(probe, {}, "c", "127.0.0.1")
    assert "context deadline exceeded" in outcome.output


async def test_tcp(handlers, server):
    probe = {"tcpSocket": {"port": "web"}}
    assert (await handlers.probe(probe, {"ports": [{"name": "web", "containerPort": server[0]}]}, "c", "127.0.0.1")).ok
    outcome = await handlers.probe({"tcpSocket": {"port": 1}}, {}, "c", "127.0.0.1")
    assert outcome.output == "dial tcp 127.0.0.1:1: connect: connection refused"
    outcome = await handlers.probe(probe, {}, "c", "127.0.0.1")
    assert outcome.output == "couldn't find port: web"


async def test_what_is_not_known_fails(handlers):
    assert not (await handlers.probe({"grpc": {"port": 1}}, {}, "c", "127.0.0.1")).ok
