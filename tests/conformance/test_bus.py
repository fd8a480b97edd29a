"""What every bus does: the one in memory and NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from kubus.bus import Bus, BusError, Disconnected, Disturbed, Message, NoResponders, RequestTimeout, Subscription
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.nats import connect
from kubus.testing.nats_server import nats_server

Connect = Callable[[str], Awaitable[Bus]]


@pytest.fixture(params=["memory", "nats"])
async def join(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Makes connections to one and the same bus."""
    connections: list[Bus] = []
    if request.param == "memory":
        broker = MemoryBroker()

        async def in_memory(identity: str) -> Bus:
            connections.append(MemoryBus(broker, identity))
            return connections[-1]

        yield in_memory
    else:
        async with nats_server() as server:

            async def over_nats(identity: str) -> Bus:
                connections.append(await connect(server.url, identity=identity))
                return connections[-1]

            yield over_nats
            for bus in connections:
                await bus.aclose()
    for bus in connections:
        await bus.aclose()


async def take(subscription: Subscription, count: int) -> list[Message]:
    """So many messages, no disturbance among them."""
    got: list[Message] = []
    async with asyncio.timeout(90):
        while len(got) < count:
            for item in await subscription.next_batch():
                assert isinstance(item, Message)
                got.append(item)
    return got


async def nothing_comes(subscription: Subscription) -> bool:
    try:
        async with asyncio.timeout(0.1):
            await subscription.next_batch()
    except TimeoutError:
        return True
    return False


async def shout(message: Message) -> bytes:
    return message.data.upper()


async def test_a_message_reaches_everyone_who_subscribed_before(join: Connect) -> None:
    one, two = await join("one"), await join("two")
    mine, theirs = await one.subscribe("kubus.ev.pods.core.>"), await two.subscribe("kubus.ev.*.core.default.web")
    await one.publish("kubus.ev.pods.core.default.web", b"hello")
    assert [each.data for each in await take(mine, 1)] == [b"hello"]
    assert [each.subject for each in await take(theirs, 1)] == ["kubus.ev.pods.core.default.web"]


@pytest.mark.parametrize(
    ("pattern", "subject", "fits"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.b.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.*.c", "a.b.c", True),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "a.b", True),
        ("a.b.c", "a.b", False),
        ("%2a.b", "%2a.b", True),
        ("_INBOX.system:node:n1.x.*", "_INBOX.system:node:n1.x.7", True),
    ],
)
async def test_wildcards(join: Connect, pattern: str, subject: str, fits: bool) -> None:
    bus = await join("one")
    subscription = await bus.subscribe(pattern)
    await bus.publish(subject, b"x")
    await bus.flush()
    assert fits is not await nothing_comes(subscription)


async def test_messages_of_one_publisher_arrive_in_order(join: Connect) -> None:
    publisher, reader = await join("one"), await join("two")
    subscription = await reader.subscribe("numbers.>")
    for number in range(5000):
        await publisher.publish(f"numbers.{number % 7}", str(number).encode())
    assert [int(each.data) for each in await take(subscription, 5000)] == list(range(5000))


async def test_members_of_a_group_share_the_messages(join: Connect) -> None:
    publisher = await join("publisher")
    members = [await (await join(f"member-{n}")).subscribe("work", group="workers") for n in range(3)]
    for number in range(90):
        await publisher.publish("work", str(number).encode())
    await publisher.flush()
    await asyncio.sleep(0.2)
    shares = []
    for member in members:
        shares.append([] if await nothing_comes_yet(member) else [each.data for each in await member.next_batch()])
    assert sorted(data for share in shares for data in share) == sorted(str(number).encode() for number in range(90))
    assert sum(1 for share in shares if share) > 1


async def nothing_comes_yet(subscription: Subscription) -> bool:
    return not subscription._waiting  # the mailbox, without taking from it


async def test_a_request_gets_its_reply(join: Connect) -> None:
    client, server = await join("client"), await join("server")
    await server.serve("shout", shout)
    assert await client.request("shout", b"hello") == b"HELLO"


async def test_many_requests_at_once_get_their_own_replies(join: Connect) -> None:
    client, server = await join("client"), await join("server")
    await server.serve("shout.*", shout, group="shouters")
    await (await join("server 2")).serve("shout.*", shout, group="shouters")

    async def ask(number: int) -> bytes:
        return await client.request(f"shout.{number}", b"n%d" % number)

    replies = await asyncio.gather(*(ask(number) for number in range(500)))
    assert replies == [b"N%d" % number for number in range(500)]


async def test_a_request_that_nobody_serves_fails_at_once(join: Connect) -> None:
    client = await join("client")
    async with asyncio.timeout(30):
        with pytest.raises(NoResponders):
            await client.request("nobody.home", b"")


async def test_a_request_without_a_reply_times_out(join: Connect) -> None:
    client, server = await join("client"), await join("server")

    async def never(_: Message) -> bytes:
        await asyncio.sleep(60)
        return b""

    await server.serve("slow", never)
    with pytest.raises(RequestTimeout):
        await client.request("slow", b"", timeout_seconds=0.05)


async def test_a_handler_that_fails_leaves_the_others_alone(join: Connect) -> None:
    client, server = await join("client"), await join("server")

    async def moody(message: Message) -> bytes:
        if message.data == b"bad":
            raise ValueError("no")
        return b"fine"

    await server.serve("moody", moody)
    with pytest.raises(RequestTimeout):
        await client.request("moody", b"bad", timeout_seconds=0.05)
    assert await client.request("moody", b"good") == b"fine"


async def test_a_server_handles_no_more_at_once_than_it_said(join: Connect) -> None:
    client, server = await join("client"), await join("server")
    running = most = 0

    async def count(_: Message) -> bytes:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return b""

    await server.serve("count", count, concurrency=3)
    await asyncio.gather(*(client.request("count", b"") for _ in range(12)))
    assert most == 3


async def test_a_server_that_has_stopped_is_nobody(join: Connect) -> None:
    client, server = await join("client"), await join("server")
    serving = await server.serve("shout", shout)
    await serving.aclose()
    await server.flush()
    with pytest.raises(NoResponders):
        await client.request("shout", b"")


async def test_a_closed_subscription_gets_nothing_and_ends_its_reader(join: Connect) -> None:
    bus = await join("one")
    subscription = await bus.subscribe("news")
    await bus.publish("news", b"last")
    await take(subscription, 1)
    await subscription.aclose()
    await bus.publish("news", b"too late")
    assert [item async for item in subscription] == []
    with pytest.raises(Disconnected):
        await subscription.next_batch()


async def test_a_closed_bus_does_nothing_any_more(join: Connect) -> None:
    bus = await join("one")
    subscription = await bus.subscribe("news")
    await bus.aclose()
    for attempt in (bus.publish("news", b""), bus.request("news", b""), bus.subscribe("news"), bus.flush()):
        with pytest.raises(Disconnected):
            await attempt
    with pytest.raises(Disconnected):
        await subscription.next_batch()


async def test_closing_sends_what_was_published_before(join: Connect) -> None:
    one, two = await join("one"), await join("two")
    subscription = await two.subscribe("news")
    for _ in range(1000):
        await one.publish("news", b"x" * 100)
    await one.aclose()
    assert len(await take(subscription, 1000)) == 1000


async def test_what_is_no_subject_is_refused(join: Connect) -> None:
    bus = await join("one")
    for subject in ("", "a b", "a\r\nPUB b"):
        with pytest.raises(BusError):
            await bus.publish(subject, b"")


async def test_a_reader_that_is_too_slow_is_disturbed_and_goes_on(join: Connect) -> None:
    bus = await join("one")
    subscription = await bus.subscribe("flood")
    subscription._messages_max = 100
    for number in range(150):
        await bus.publish("flood", str(number).encode())
    await bus.flush()
    await asyncio.sleep(0.05)
    batch = await subscription.next_batch()
    assert isinstance(batch[0], Disturbed)
    assert [each.data for each in batch[1:] if isinstance(each, Message)] == [str(n).encode() for n in range(101, 150)]
    await bus.publish("flood", b"after")
    assert [each.data for each in await take(subscription, 1)] == [b"after"]
