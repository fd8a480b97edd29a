"""What NATS does to its clients becomes what the bus promises, against a real server; see also tests/conformance."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kubus.bus import BusError, Disconnected, Disturbed, Message, RequestTimeout
from kubus.bus import nats as nats_module
from kubus.bus.nats import NatsBus, connect
from kubus.bus.subjects import escape
from kubus.testing.certificates import Authority
from kubus.testing.nats_server import NatsServer, ServerTls, nats_server

NODE = "system:node:n1.example"
TOKEN = escape(NODE)
PERMISSIONS = {
    f"CN={NODE},O=system:nodes": {
        "publish": {"allow": [f"kubus.api.{TOKEN}.>"]},
        "subscribe": {"allow": [f"_INBOX.{TOKEN}.>", "kubus.node.n1.>", "kubus.node.n1.call"]},
        "allow_responses": True,
    },
    "CN=system:apiserver": {"publish": {"allow": [">"]}, "subscribe": {"allow": [">"]}},
}


@pytest.fixture
async def server() -> AsyncIterator[NatsServer]:
    async with nats_server() as running:
        yield running


async def answer(message: Message) -> bytes:
    return b"re: " + message.data


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # nats-py offers no event for all of them
            await asyncio.sleep(0.01)


async def test_after_a_restart_of_the_server_everything_goes_on(server: NatsServer) -> None:
    one = await connect(server.url, identity="one")
    two = await connect(server.url, identity="two")
    news = await one.subscribe("news")
    await one.serve("ask", answer)
    await server.restart()
    async with asyncio.timeout(10):
        assert [type(each) for each in await news.next_batch()] == [Disturbed]
    await until(lambda: two.connected)
    await two.publish("news", b"after")
    async with asyncio.timeout(5):
        assert await news.next_batch() == [Message("news", b"after")]
    assert await two.request("ask", b"again") == b"re: again"
    await one.aclose()
    await two.aclose()


async def test_without_a_server_nothing_is_kept_for_later(server: NatsServer) -> None:
    bus = await connect(server.url, identity="one")
    await server.kill()
    await until(lambda: not bus.connected)
    for attempt in (bus.publish("news", b""), bus.request("ask", b""), bus.flush(), bus.subscribe("news")):
        with pytest.raises(Disconnected):
            await attempt
    await bus.aclose()


async def test_a_request_under_way_when_the_server_dies_fails_then_and_not_later(server: NatsServer) -> None:
    one, two = await connect(server.url, identity="one"), await connect(server.url, identity="two")

    async def never(_: Message) -> bytes:
        await asyncio.sleep(60)
        return b""

    await two.serve("slow", never)
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(_expect_timeout(one))
        await asyncio.sleep(0.2)
        await server.kill()
        async with asyncio.timeout(5):
            await asked
    await one.aclose()
    await two.aclose()


async def _expect_timeout(bus: NatsBus) -> None:
    with pytest.raises(RequestTimeout):
        await bus.request("slow", b"", timeout_seconds=30)


async def test_a_connection_that_the_server_ends_for_good_is_made_anew(server: NatsServer) -> None:
    bus = await connect(server.url, identity="one")
    news = await bus.subscribe("news")
    await bus.serve("ask", answer)
    await bus._nats._process_err("'Server Said Something Fatal'")
    await until(lambda: not bus.connected)
    await until(lambda: bus.connected)
    async with asyncio.timeout(10):
        assert isinstance((await news.next_batch())[0], Disturbed)
    await bus.publish("news", b"after")
    async with asyncio.timeout(5):
        assert await news.next_batch() == [Message("news", b"after")]
    assert await bus.request("ask", b"again") == b"re: again"
    await bus.aclose()


async def test_connecting_waits_for_the_server(server: NatsServer) -> None:
    await server.kill()
    async with asyncio.TaskGroup() as tasks:
        connecting = tasks.create_task(connect(server.url, identity="early"))
        await asyncio.sleep(0.3)
        assert not connecting.done()
        await server.start()
    bus = connecting.result()
    assert bus.connected
    await bus.aclose()


async def test_a_message_too_large_is_an_error_of_its_own(server: NatsServer) -> None:
    bus = await connect(server.url, identity="one")
    with pytest.raises(BusError, match="too large"):
        await bus.publish("news", bytes(9 * 1024 * 1024))
    subscription = await bus.subscribe("news")
    await bus.publish("news", bytes(7 * 1024 * 1024))
    async with asyncio.timeout(5):
        await subscription.next_batch()
    await bus.aclose()


async def test_flushing_means_that_the_server_has_it(server: NatsServer) -> None:
    one, two = await connect(server.url, identity="one"), await connect(server.url, identity="two")
    for number in range(50):
        subscription = await one.subscribe(f"news.{number}")
        await two.publish(f"news.{number}", bytes(100_000))
        async with asyncio.timeout(5):
            assert len(await subscription.next_batch()) == 1
    await one.aclose()
    await two.aclose()


async def test_the_journal_can_be_reached(server: NatsServer) -> None:
    bus = await connect(server.url, identity="relay")
    await bus.jetstream().add_stream(name="JOURNAL", subjects=["kubus.ev.>"])
    await bus.publish("kubus.ev.pods.core.default.web", b"x", headers={"Nats-Msg-Id": "7:web"})
    await bus.publish("kubus.ev.pods.core.default.web", b"x", headers={"Nats-Msg-Id": "7:web"})
    await bus.flush()
    await asyncio.sleep(0.1)
    info = await bus.jetstream().stream_info("JOURNAL")
    assert info.state.messages == 1, "what was said twice stands there once"
    await bus.aclose()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def guarded(authority: Authority) -> AsyncIterator[NatsServer]:
    pair = authority.issue("nats", hosts=("127.0.0.1", "localhost"))
    async with nats_server(ServerTls(authority.ca_file, pair.cert_file, pair.key_file, PERMISSIONS)) as running:
        yield running


def tls_of(authority: Authority, name: str, *groups: str) -> ssl.SSLContext:
    pair = authority.issue(name, groups)
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.load_cert_chain(pair.cert_file, pair.key_file)
    return context


async def test_the_certificate_is_the_user(guarded: NatsServer, authority: Authority) -> None:
    api = await connect(guarded.url, identity="system:apiserver", tls=tls_of(authority, "system:apiserver"))
    node = await connect(guarded.url, identity=NODE, tls=tls_of(authority, NODE, "system:nodes"))
    await api.serve("kubus.api.>", answer, group="apiserver")
    await node.serve("kubus.node.n1.call", answer)
    assert await node.request(f"kubus.api.{TOKEN}.get.pods.core", b"x") == b"re: x"
    assert await api.request("kubus.node.n1.call", b"y") == b"re: y"
    with pytest.raises(BusError, match="may not publish"):
        await node.request("kubus.api.system:apiserver.get.pods.core", b"x")
    secrets = await node.subscribe("kubus.ev.>")
    async with asyncio.timeout(5):
        assert await secrets.next_batch() == [Disturbed("the subscription is not permitted")]
    await api.aclose()
    await node.aclose()


async def test_a_certificate_that_nobody_knows_gets_no_connection(guarded: NatsServer, authority: Authority) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await connect(guarded.url, identity="stranger", tls=tls_of(authority, "stranger"))


async def test_a_flush_ends_with_the_connection(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a service that stops while its server goes away waits out its whole grace period."""
    monkeypatch.setattr(nats_module, "_FLUSH_SECONDS_MAX", 3600)
    bus = await connect(server.url, identity="one")
    os.kill(server.pid, signal.SIGSTOP)
    for _ in range(3):  # more than sockets hold: nats-py's own flusher waits for the server, and ends with it
        await bus.publish("news", bytes(2 << 20))
    with pytest.raises(ExceptionGroup) as caught:  # the end of one task is what is looked at
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            tasks.create_task(bus.flush())
            await asyncio.sleep(0.1)
            await server.kill()
    assert caught.group_contains(Disconnected)
    await bus.aclose()
