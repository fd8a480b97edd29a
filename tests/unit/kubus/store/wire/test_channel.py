"""Connections that come and go under the calls, against a server that misbehaves."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from kubus.store.wire.channel import Channel
from kubus.store.wire.connection import STREAM_WINDOW_BYTES
from kubus.store.wire.endpoints import Tls
from kubus.store.wire.statuses import CallFailed, Status
from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import free_port
from kubus.testing.rpc_server import RpcServer, rpc_server

PATH = "/a.B/C"


@pytest.fixture
async def server():
    async with rpc_server() as running:
        yield running


@pytest.fixture
async def channel(server):
    made = Channel((server.endpoint,), None)
    yield made
    await made.aclose()


async def answering(server: RpcServer, *answers: bytes) -> None:
    for answer in answers:
        (await server.next_call()).answer(answer)


async def test_a_call_has_its_answer(server, channel):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(channel.call(PATH, b"question", 5))
        call = await server.next_call()
        call.answer(b"answer")
    assert asked.result() == b"answer"
    assert (call.path, call.messages) == (PATH, [b"question"])


async def test_many_calls_at_once_share_one_connection(server, channel):
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(channel.call(PATH, b"%d" % each, 5)) for each in range(30)]
        calls = [await server.next_call() for _ in range(30)]
        for call in reversed(calls):
            call.answer(call.messages[0] + b"!")
    assert [each.result() for each in asked] == [b"%d!" % each for each in range(30)]
    assert len(server.connections) == 1


async def test_an_answer_larger_than_the_windows_comes_whole(server, channel):
    large = bytes(range(256)) * (STREAM_WINDOW_BYTES // 256 * 2)
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(channel.call(PATH, b"", 20))
        call = await server.next_call()
        call.answer(large)  # this server minds no windows, so it may only be told afterwards that it was right to
    assert asked.result() == large
    assert call.served.granted > STREAM_WINDOW_BYTES


async def test_a_call_that_is_not_answered_in_time_is_reset_and_the_next_goes_by_another_connection(server, channel):
    with pytest.raises(CallFailed, match="DEADLINE_EXCEEDED"):
        await channel.call(PATH, b"slow", 0.2)
    slow = await server.next_call()
    async with asyncio.TaskGroup() as group:
        group.create_task(answering(server, b"quick"))
        assert await channel.call(PATH, b"", 5) == b"quick"
    assert slow.is_reset
    assert slow.served not in server.connections


async def test_a_cancelled_call_is_reset(server, channel):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(channel.call(PATH, b"", 5))
        call = await server.next_call()
        asked.cancel()
    async with asyncio.TaskGroup() as group:
        group.create_task(answering(server, b"next"))
        assert await channel.call(PATH, b"", 5) == b"next"
    assert call.is_reset
    assert len(server.connections) == 1


async def test_a_server_that_goes_away_answers_what_it_has_begun_and_the_rest_was_not_seen(server, channel):
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_outcome(channel)) for _ in range(2)]
        first, _ = await server.next_call(), await server.next_call()
        first.go_away(first.stream)
        first.answer(b"begun")
    assert asked[0].result() == b"begun"
    assert asked[1].result().unseen
    async with asyncio.TaskGroup() as group:
        group.create_task(answering(server, b"anew"))
        assert await channel.call(PATH, b"", 5) == b"anew"


async def _outcome(channel: Channel) -> bytes | CallFailed:
    try:
        return await channel.call(PATH, b"", 5)
    except CallFailed as failure:
        return failure


async def test_a_connection_that_breaks_fails_its_calls_and_is_made_anew(server, channel):
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(_outcome(channel))
        (await server.next_call()).hang_up()
    assert (asked.result().status, asked.result().unseen) == (Status.UNAVAILABLE, False)
    async with asyncio.TaskGroup() as group:
        group.create_task(answering(server, b"anew"))
        assert await channel.call(PATH, b"", 5) == b"anew"


@pytest.mark.parametrize("status", [Status.UNAVAILABLE, Status.OUT_OF_RANGE])
async def test_a_member_that_is_unavailable_is_left_for_the_next(status):
    async with rpc_server() as first, rpc_server() as second:
        channel = Channel((first.endpoint, second.endpoint), None)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(_outcome(channel))
            (await first.next_call()).end(status, "no leader")
        assert asked.result().status is status
        async with asyncio.TaskGroup() as group:
            group.create_task(answering(second if status is Status.UNAVAILABLE else first, b"here"))
            assert await channel.call(PATH, b"", 5) == b"here"
        await channel.aclose()


async def test_a_machine_that_says_nothing_is_passed_over_within_the_call():
    async with rpc_server() as silent, rpc_server() as server:
        silent.greets = False
        channel = Channel((silent.endpoint, f"127.0.0.1:{free_port()}", server.endpoint), None)
        async with asyncio.TaskGroup() as group:
            group.create_task(answering(server, b"here"))
            assert await channel.call(PATH, b"", 4) == b"here"
        await channel.aclose()


async def test_a_call_waits_for_a_server_that_starts_late_and_says_why_it_gave_up():
    port = free_port()
    channel = Channel((f"127.0.0.1:{port}",), None)
    with pytest.raises(CallFailed, match=f"no connection: 127.0.0.1:{port}: .*Connect call failed"):
        await channel.call(PATH, b"", 0.3)
    server = RpcServer()
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(channel.call(PATH, b"", 5))
        await asyncio.sleep(0.1)
        listening = await asyncio.get_running_loop().create_server(server.connected, "127.0.0.1", port)
        group.create_task(answering(server, b"late"))
    assert asked.result() == b"late"
    await channel.aclose()
    listening.close()
    await listening.wait_closed()


async def test_whoever_was_connecting_may_leave_and_the_next_goes_on():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        channel = Channel((f"127.0.0.1:{deaf.getsockname()[1]}",), None)
        first = asyncio.ensure_future(channel.call(PATH, b"", 10))
        second = asyncio.ensure_future(_outcome(channel))
        await asyncio.sleep(0.1)
        first.cancel()
        await asyncio.sleep(0.1)
        assert not second.done()
        await channel.aclose()
        assert (await second).status is Status.CANCELLED


async def test_closing_ends_calls_and_conversations(server, channel):
    async with asyncio.TaskGroup() as group, channel.conversation(PATH, (), 5) as conversation:
        asked = group.create_task(_outcome(channel))
        await server.next_call()
        await server.next_call()
        await channel.aclose()
        with pytest.raises(CallFailed, match="closed"):
            await conversation.messages()
    assert asked.result().details == "closed"
    assert (await _outcome(channel)).status is Status.CANCELLED


async def test_a_conversation_goes_on_over_a_connection_that_others_have_left(server, channel):
    async with channel.conversation(PATH, (("hasleader", "true"),), 5) as conversation:
        conversation.send(b"watch")
        watch = await server.next_call()
        with pytest.raises(CallFailed, match="DEADLINE_EXCEEDED"):
            await channel.call(PATH, b"slow", 0.1)
        watch.say(b"one", b"two")
        assert await conversation.messages() == [b"one", b"two"]
        assert watch.served in server.connections


async def test_a_conversation_that_fails_takes_the_next_elsewhere():
    async with rpc_server() as first, rpc_server() as second:
        channel = Channel((first.endpoint, second.endpoint), None)
        with pytest.raises(CallFailed, match="no leader"):
            async with channel.conversation(PATH, (), 5) as conversation:
                (await first.next_call()).end(Status.UNAVAILABLE, "no leader")
                await conversation.messages()
        async with channel.conversation(PATH, (), 5) as conversation:
            (await second.next_call()).say(b"here")
            assert await conversation.messages() == [b"here"]
        await channel.aclose()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def _server_context(authority: Authority, *, protocol: str = "h2") -> ssl.SSLContext:
    pair = authority.issue("etcd", hosts=("etcd.example",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert_file, pair.key_file)
    context.set_alpn_protocols([protocol])
    return context


async def test_over_tls_a_server_is_known_by_its_name(authority):
    async with rpc_server(_server_context(authority)) as server:
        named = Channel((server.endpoint,), Tls(authority.ca_file, server_name="etcd.example"))
        async with asyncio.TaskGroup() as group:
            group.create_task(answering(server, b"here"))
            assert await named.call(PATH, b"", 5) == b"here"
        await named.aclose()
        unnamed = Channel((server.endpoint,), Tls(authority.ca_file))
        with pytest.raises(CallFailed, match="certificate verify failed: IP address mismatch"):
            await unnamed.call(PATH, b"", 0.5)
        await unnamed.aclose()


async def test_over_tls_a_server_has_to_speak_http_2(authority):
    async with rpc_server(_server_context(authority, protocol="http/1.1")) as server:
        channel = Channel((server.endpoint,), Tls(authority.ca_file, server_name="etcd.example"))
        with pytest.raises(CallFailed, match="does not speak HTTP/2"):
            await channel.call(PATH, b"", 0.5)
        await channel.aclose()


async def test_certificates_that_cannot_be_read_are_named(server, tmp_path):
    channel = Channel((server.endpoint,), Tls(str(tmp_path / "gone.crt")))
    with pytest.raises(CallFailed, match="No such file"):
        await channel.call(PATH, b"", 0.3)
    await channel.aclose()
