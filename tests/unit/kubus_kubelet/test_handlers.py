"""Probe handlers against real sockets."""

from __future__ import annotations

import asyncio

import grpc
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
        code = {"/ok": "204 No Content", "/bad": "500 Oops"}.get(path, "404 Not Found")
        targets = {
            "/moved": "/ok",
            "/to-bad": "bad",
            "/same": f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/ok",
            "/other": "http://other.example:1/ok",
            "/loop": "/loop",
            "/nowhere": "",
        }
        if path in targets:
            code = f"302 Found\r\nLocation: {targets[path]}" if targets[path] else "302 Found"
        writer.write(f"HTTP/1.1 {code}\r\nContent-Length: 4\r\n\r\nbody".encode() if path != "/odd" else b"hello\r\n")
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
        ("/same", True, ""),
        ("/to-bad", False, "HTTP probe failed with statuscode: 500"),
        ("/other", True, "Probe terminated redirects, Response body: body"),
        ("/nowhere", True, "Probe terminated redirects, Response body: body"),
        ("/loop", False, "stopped after 10 redirects"),
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
    assert outcome.warning is (ok and bool(words))
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
    assert not (await handlers.probe({"carrierPigeon": {}}, {}, "c", "127.0.0.1")).ok


@pytest.fixture
async def health_server():
    """Grpc's own server: `app` serves, `ill` does not, `slow` takes its time, others are not known."""
    answers = {"": b"\x08\x01", "app": b"\x08\x01", "ill": b"\x08\x02", "empty": b""}

    async def answer(request, context):
        name = request[2:].decode()
        if name == "slow":
            await asyncio.sleep(60)
        if name not in answers:
            await context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return answers[name]

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(answer)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(None)


@pytest.mark.parametrize(
    ("service", "ok", "words"),
    [
        (None, True, ""),
        ("app", True, ""),
        ("ill", False, 'service unhealthy (responded with "NOT_SERVING")'),
        ("empty", False, 'service unhealthy (responded with "UNKNOWN")'),
        ("other", False, "error: health rpc probe failed: no status in the answer"),
        ("slow", False, "timeout: health rpc did not complete within 0.5s"),
        ("x" * 300, False, "error: health rpc probe failed: no status in the answer"),
    ],
)
async def test_grpc(handlers, health_server, service, ok, words):
    target = {"port": health_server} | ({} if service is None else {"service": service})
    probe = {"grpc": target, "timeoutSeconds": 0.5 if service == "slow" else 30}
    outcome = await handlers.probe(probe, {}, "c", "127.0.0.1")
    assert (outcome.ok, outcome.output[: len(words)]) == (ok, words)


async def test_a_grpc_probe_of_a_port_that_is_closed_or_speaks_something_else_fails(handlers, server):
    outcome = await handlers.probe({"grpc": {"port": 1}}, {}, "c", "127.0.0.1")
    assert outcome.output.startswith('error: failed to connect service at "127.0.0.1:1"')
    assert not (await handlers.probe({"grpc": {"port": server[0]}}, {}, "c", "127.0.0.1")).ok
