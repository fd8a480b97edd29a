"""The HTTPS door on loopback: certificates, bodies, watches, streams."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kubus.bus.memory import MemoryBus
from kubus.bus.sessions import ERROR, STDIN, STDOUT, Session, serve_sessions
from kubus.model.codec import to_json
from kubus.model.kinds.pods import KIND as PODS_KIND
from kubus_apiserver.calls import ReadOptions
from kubus_apiserver.doors.http import ChunkSink, HttpDoor, serving_tls
from kubus_apiserver.doors.streams import Streams
from kubus_apiserver.reading.representations import PLAIN_VIEW
from kubus_apiserver.reading.selection import selection
from kubus_apiserver.reading.watches import Batch, Scope
from kubus_cli.pki import Wanted, ensure

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
ADMIN = Wanted("admin", "admin", ("system:masters",))


class Door:
    """The door, and clients with and without a certificate."""

    def __init__(self, base: str, directory: Path, streams: Streams) -> None:
        self.base = base
        self.directory = directory
        self.streams = streams
        self.session = self._session(certificate=True)
        self.anonymous = self._session(certificate=False)

    def tls(self, *, certificate: bool) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.directory / "ca.crt"))
        if certificate:
            context.load_cert_chain(self.directory / "admin.crt", self.directory / "admin.key")
        return context

    def _session(self, *, certificate: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=self.tls(certificate=certificate))
        return aiohttp.ClientSession(self.base, connector=connector)

    async def aclose(self) -> None:
        await self.session.close()
        await self.anonymous.close()

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        async with self.session.request(method, path, **options) as answer:
            return answer.status, await answer.json()

    async def create(self, path: str, body: Any) -> Any:
        code, made = await self.ask("POST", path, json=body)
        assert code == 201, made
        return made


@pytest.fixture
async def door(api, tmp_path: Path) -> AsyncIterator[Door]:
    ensure(tmp_path, [ADMIN, Wanted("serving", "server", names=("127.0.0.1",))], datetime.now(UTC))
    streams = Streams(api.core.watches)
    runner = HttpDoor(api.rest, api.core.watches, streams).runner()
    await runner.setup()
    tls = serving_tls(tmp_path / "serving.crt", tmp_path / "serving.key", tmp_path / "ca.crt")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        site = web.SockSite(runner, listening, ssl_context=tls)
        await site.start()
        made = Door(f"https://127.0.0.1:{listening.getsockname()[1]}", tmp_path, streams)
        yield made
        await made.aclose()
        api.core.watches.end_all()
        await runner.cleanup()


async def test_a_certificate_says_who_asks_and_none_means_nobody(door: Door) -> None:
    code, pods = await door.ask("GET", PODS)
    assert (code, pods["kind"]) == (200, "PodList")
    async with door.anonymous.get(PODS) as refused:
        assert refused.status == 403
        assert 'User "system:anonymous" cannot list' in (await refused.json())["message"]
    async with door.anonymous.get("/readyz") as ready:
        assert (ready.status, await ready.text()) == (200, "ok")
    async with door.anonymous.get(PODS, headers={"Authorization": "Bearer x"}) as refused:
        assert refused.status == 401
        assert (await refused.json())["reason"] == "Unauthorized"


async def test_every_answer_can_be_found_again_and_none_says_what_serves(door: Door) -> None:
    named = {"Audit-ID": "mine"}
    async with door.session.get("/version", headers=named) as answer:
        assert answer.headers["Audit-Id"] == "mine" and "Server" not in answer.headers
    async with door.anonymous.get(PODS, headers={"Authorization": "Bearer x", **named}) as refused:
        assert (refused.status, refused.headers["Audit-Id"]) == (401, "mine")
    async with door.session.get("/version", headers={"Audit-ID": "a" * 1000}) as answer:
        assert answer.headers["Audit-Id"] == "a" * 256
    async with door.session.ws_connect(f"{PODS}?watch=1") as socket:
        assert "Server" not in socket._response.headers
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(door.base.rpartition(":")[2]), ssl=door.tls(certificate=True)
        )
        writer.write(b"NONSENSE\r\n\r\n")
        told = await reader.read()
        writer.close()
    assert b"\r\n\r\n400 Bad Request" in told and b"Server" not in told


async def test_a_document_with_its_hash_may_be_kept_and_one_with_another_is_elsewhere(door: Door) -> None:
    path = "/openapi/v3/api/v1"
    async with door.session.get("/openapi/v3") as index:
        where = (await index.json())["paths"]["api/v1"]["serverRelativeURL"]
    async with door.session.get("/openapi/v3", headers={"If-None-Match": index.headers["Etag"]}) as again:
        assert again.status == 304
    async with door.session.get(f"{path}?hash=OLD", allow_redirects=False, headers={"User-Agent": "curl"}) as moved:
        assert (moved.status, moved.headers["Location"], await moved.read()) == (301, where, b"")
    async with door.session.get(where) as kept:
        assert (kept.headers["Cache-Control"], "Expires" in kept.headers) == ("public, immutable", True)
    async with door.session.get(path) as plain:
        assert (plain.headers["Cache-Control"], "Expires" in plain.headers) == ("no-cache, private", False)


async def test_one_connection_takes_many_requests(door: Door) -> None:
    for number in range(20):
        await door.create(MAPS, {"metadata": {"name": f"m{number}"}})
    code, listed = await door.ask("GET", MAPS)
    assert (code, len(listed["items"])) == (200, 20)
    assert len(door.session.connector._conns) == 1


async def test_large_answers_arrive_whole(door: Door) -> None:
    for number in range(4):
        await door.create(MAPS, {"metadata": {"name": f"m{number}"}, "data": {"k": "x" * 500_000}})
    _, listed = await door.ask("GET", MAPS)
    assert [len(item["data"]["k"]) for item in listed["items"]] == [500_000] * 4


async def test_a_head_request_gets_the_head_only(door: Door) -> None:
    async with door.session.head(PODS) as answer:
        assert answer.status == 200
        assert await answer.read() == b""


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_refused(door: Door, chunked: bool) -> None:
    body = b"[" + b"1," * (2 * 1024 * 1024) + b"1]"

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    headers = {"Content-Type": "application/json"}
    try:
        async with door.session.post(MAPS, data=parts() if chunked else body, headers=headers) as answer:
            assert answer.status == 413
            assert (await answer.json())["reason"] == "RequestEntityTooLarge"
    except aiohttp.ClientOSError:
        pass  # it was refused before it was sent, which a client may see as a broken pipe
    assert (await door.ask("GET", PODS))[0] == 200


@pytest.mark.parametrize(
    "text",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST " + MAPS.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET " + PODS.encode() + b"?labelSelector=%00%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"BREW /api/v1/pods HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
async def test_nonsense_is_the_clients_fault(door: Door, text: bytes) -> None:
    port = int(door.base.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=door.tls(certificate=True))
    writer.write(text)
    head = await asyncio.wait_for(reader.readline(), 5)
    assert head[:10] in (b"HTTP/1.1 4", b"HTTP/1.0 4"), head
    writer.close()


async def test_a_watch_streams_one_line_an_event(door: Door) -> None:
    async with door.session.get(f"{MAPS}?watch=1") as stream:
        await door.create(MAPS, {"metadata": {"name": "a"}})
        event = json.loads(await asyncio.wait_for(stream.content.readline(), 5))
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "a")


async def test_a_watch_may_follow_other_requests_on_its_connection(door: Door) -> None:
    port = int(door.base.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=door.tls(certificate=True))
    for target in (MAPS, f"{MAPS}/none", f"{MAPS}?watch=1"):
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(5):
        assert b" 200 " in await reader.readline()
        await reader.readuntil(b"HTTP/1.1 404")
        await reader.readuntil(b"HTTP/1.1 200")
        await reader.readuntil(b"\r\n\r\n")
        await door.create(MAPS, {"metadata": {"name": "a"}})
        assert b'"ADDED"' in await reader.readuntil(b"}\n")
    writer.close()


async def test_a_watch_over_websocket_sends_one_message_an_event(door: Door) -> None:
    async with door.session.ws_connect(f"{MAPS}?watch=1") as stream:
        await door.create(MAPS, {"metadata": {"name": "a"}})
        event = json.loads((await stream.receive(5)).data)
        assert event["type"] == "ADDED"


async def test_a_watcher_that_does_not_read_is_let_go_and_harms_nobody(door: Door, api) -> None:
    port = int(door.base.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=door.tls(certificate=True), limit=1024)
    writer.write(f"GET {MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(20):
        await until(lambda: api.core.watches.count == 1)
        for number in range(100):
            await door.create(MAPS, {"metadata": {"name": f"m{number}"}, "data": {"k": "x" * 200_000}})
            if not api.core.watches.count:
                break
        await until(lambda: api.core.watches.count == 0)
    writer.close()


class Clogged(asyncio.Transport):
    """A connection whose reader takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = b""

    def write(self, data: Any) -> None:
        self.unsent += data

    def get_write_buffer_size(self) -> int:
        return len(self.unsent)

    def is_closing(self) -> bool:
        return False


def test_a_watcher_keeps_little_unread_and_hears_why_it_ends() -> None:
    transport = Clogged()
    sink = ChunkSink(transport, Scope(PODS_KIND, "", selection(PODS_KIND, ReadOptions()), PLAIN_VIEW))
    sent = 0
    while not sink.closed and sent < 100:
        sink.send(Batch([b"x" * 100_000]))
        sent += 1
    sink.send(Batch([b"more"]))
    assert sink.overrun and 2 <= sent <= 20
    assert len(transport.unsent) < 1.5e6
    assert b'"code":410' in transport.unsent[-400:] and b"more" not in transport.unsent


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


async def running_pod(door: Door) -> None:
    spec = {"nodeName": "n1", "containers": [{"name": "c", "image": "x"}]}
    await door.create(PODS, {"metadata": {"name": "p"}, "spec": spec})


@pytest.mark.parametrize(
    ("offered", "code"),
    [
        (("v9.channel.k8s.io",), 403),
        (("base64url.bearer.authorization.k8s.io.eA", "nonsense"), 403),
        (("nonsense", "v4.channel.k8s.io"), 101),
        ((), 101),
    ],
)
async def test_a_websocket_of_unknown_protocols_is_refused(door: Door, offered: tuple[str, ...], code: int) -> None:
    bus = MemoryBus()
    door.streams.bus = bus

    async def end(session: Session) -> None:
        await session.send(ERROR, b"{}")

    async def accept(call: dict[str, Any]) -> Any:
        return end

    kubelet = await serve_sessions(bus, "n1", accept)
    await running_pod(door)
    try:
        async with door.session.ws_connect(f"{PODS}/p/exec?command=sh&stdout=true", protocols=offered) as stream:
            assert code == 101 and stream.protocol == ("v4.channel.k8s.io" if offered else None)
    except aiohttp.WSServerHandshakeError as error:
        assert error.status == code
    await kubelet.aclose()


async def test_exec_carries_bytes_both_ways_and_the_exit_code(door: Door) -> None:
    bus = MemoryBus()
    door.streams.bus = bus
    calls: list[dict[str, Any]] = []

    async def echo(session: Session) -> None:
        while (item := await session.receive()) is not None and item[0] == STDIN:
            await session.send(STDOUT, item[1].upper())
        causes = [{"reason": "ExitCode", "message": "3"}]
        await session.send(ERROR, to_json({"status": "Failure", "details": {"causes": causes}}))

    async def accept(call: dict[str, Any]) -> Any:
        calls.append(call)
        return echo

    kubelet = await serve_sessions(bus, "n1", accept)
    await running_pod(door)
    url = f"{PODS}/p/exec?command=sh&command=-c&stdin=true&stdout=true&stderr=true"
    async with door.session.ws_connect(url, protocols=("v5.channel.k8s.io",)) as stream:
        assert stream.protocol == "v5.channel.k8s.io"
        await stream.send_bytes(b"\x00hello")
        assert (await stream.receive(5)).data == b"\x01HELLO"
        await stream.send_bytes(b"\xff\x00")
        last = (await stream.receive(5)).data
        assert last[0] == ERROR
        assert json.loads(last[1:])["details"]["causes"][0]["message"] == "3"
    assert (calls[0]["command"], calls[0]["container"], calls[0]["stdin"]) == (["sh", "-c"], "c", True)
    await kubelet.aclose()


async def test_logs_are_a_plain_body(door: Door) -> None:
    bus = MemoryBus()
    door.streams.bus = bus

    async def write(session: Session) -> None:
        await session.send(STDOUT, b"one\n")
        await session.send(STDOUT, b"two\n")

    async def accept(call: dict[str, Any]) -> Any:
        assert call["options"]["tailLines"] == 5
        return write

    kubelet = await serve_sessions(bus, "n1", accept)
    await running_pod(door)
    async with door.session.get(f"{PODS}/p/log?tailLines=5") as answer:
        assert (answer.status, await answer.text()) == (200, "one\ntwo\n")
    await kubelet.aclose()


async def test_a_kubelet_that_is_away_is_said_to_be(door: Door) -> None:
    await running_pod(door)
    code, status = await door.ask("GET", f"{PODS}/p/log")
    assert (code, status["kind"]) == (503, "Status")
    code, status = await door.ask("GET", f"{PODS}/p/log?container=other")
    assert (code, status["message"]) == (400, "container other is not valid for pod p")
    code, status = await door.ask("POST", f"{PODS}/p/exec?command=x&stdout=1")
    assert (code, status["reason"]) == (503, "ServiceUnavailable")
