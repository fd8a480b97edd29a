"""The relay between a real etcd and a real nats-server, and what faults of either do to it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from nats.js.errors import NotFoundError

from kubus.bus import Message
from kubus.bus.journal import NatsJournal
from kubus.bus.nats import connect as connect_bus
from kubus.bus.subjects import EVENTS
from kubus.bus.wire import decode_event_raw
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.service.clocks import SystemClock
from kubus.store import Unavailable
from kubus.store.etcd import connect as connect_store
from kubus.testing.etcd_server import etcd_server
from kubus.testing.nats_server import nats_server
from kubus_relay.relay import Relay

NOTE = Note("alice", "kubectl", "create", 1)


class World:
    """An etcd, a nats-server, and a relay that can be ended and begun."""

    def __init__(self, etcd, nats, store):
        self.etcd, self.nats, self.store = etcd, nats, store

    @asynccontextmanager
    async def relay(self):
        """A relay with connections of its own; ended without a farewell."""
        async with AsyncExitStack() as stack:
            store = connect_store((self.etcd.endpoint,))
            stack.push_async_callback(store.aclose)
            bus = await connect_bus(self.nats.url, identity="system:relay")
            stack.push_async_callback(bus.aclose)
            relay = Relay(store, bus, NatsJournal(bus), SystemClock(), on_state=lambda _: None)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(relay.run())
                yield relay
                task.cancel()

    async def write(self, name: str, collection: str = "configmaps.core") -> None:
        key = Key(collection, "default", name)
        record = encode_record(NOTE, {"metadata": {"name": name}, "data": {"x": "y" * 500}})
        try:
            await self.store.create(store_key(key), record)
        except Unavailable:
            await asyncio.sleep(0.05)  # it may have been written all the same

    async def written(self) -> list[int]:
        """The revisions of all objects; each was written once."""
        return sorted(stored.revision for stored in (await self.store.page("/kubus/")).items)

    async def journal(self) -> list[tuple[int, int, str]]:
        """(revision, previous, subject) of everything in the journal, once it holds the newest write."""
        newest = (await self.written())[-1]
        bus = await connect_bus(self.nats.url, identity="reader")
        context = bus.jetstream()
        async with asyncio.timeout(30):
            while True:
                try:
                    info = await context.stream_info("JOURNAL")
                except NotFoundError:
                    await asyncio.sleep(0.2)
                    continue
                found = []
                for sequence in range(max(info.state.first_seq, 1), info.state.last_seq + 1):
                    message = await context.get_msg("JOURNAL", sequence, direct=True)
                    event = decode_event_raw(message.data)
                    found.append((event.revision, event.previous, message.subject))
                if found and found[-1][0] >= newest:
                    await bus.aclose()
                    return found
                await asyncio.sleep(0.2)


@pytest.fixture
async def world():
    async with etcd_server() as etcd, nats_server() as nats:
        store = connect_store((etcd.endpoint,))
        yield World(etcd, nats, store)
        await store.aclose()


async def assert_complete(world: World, journal: list[tuple[int, int, str]]) -> None:
    """Every write once, in order."""
    assert [revision for revision, _, _ in journal] == await world.written()


async def test_every_write_is_heard_in_order_with_its_predecessor(world):
    async with world.relay():
        listener = await connect_bus(world.nats.url, identity="listener")
        subscription = await listener.subscribe(EVENTS)
        for i in range(200):
            await world.write(f"c{i}")
        heard = []
        async with asyncio.timeout(10):
            while len(heard) < 200:
                heard += [m for m in await subscription.next_batch() if isinstance(m, Message)]
        events = [decode_event_raw(message.data) for message in heard]
        assert [event.revision for event in events] == await world.written()
        assert [event.previous for event in events[1:]] == [event.revision for event in events[:-1]]
        await listener.aclose()


@pytest.mark.parametrize("fault", ["relay", "nats killed", "etcd killed"])
async def test_under_writes_a_restart_loses_and_reorders_nothing(world, fault):
    """Four restarts while four writers write; the journal then holds every write once, in order."""
    stop = asyncio.Event()

    async def write_on(name: str) -> None:
        number = 0
        while not stop.is_set():
            await world.write(f"{name}-{number}")
            number += 1
            await asyncio.sleep(0.002)

    async with asyncio.TaskGroup() as group:
        for writer in "abcd":
            group.create_task(write_on(writer))
        if fault == "relay":
            for _ in range(4):
                async with world.relay():
                    await asyncio.sleep(0.5)
                await asyncio.sleep(0.1)
            stop.set()
        else:
            async with world.relay():
                for _ in range(4):
                    await asyncio.sleep(0.5)
                    await (world.nats if fault == "nats killed" else world.etcd).restart()
                await asyncio.sleep(0.5)
                stop.set()
    async with world.relay():
        journal = await world.journal()
    await assert_complete(world, journal)
    assert len(journal) > 100
    assert [previous for _, previous, _ in journal[1:]] == [revision for revision, _, _ in journal[:-1]]


async def test_two_relays_at_once_do_no_harm(world):
    async with world.relay(), world.relay():
        for i in range(100):
            await world.write(f"c{i}")
        journal = await world.journal()
    await assert_complete(world, journal)


async def test_a_wiped_journal_is_made_anew(world):
    async with world.relay():
        for i in range(20):
            await world.write(f"a{i}")
        await world.journal()
        bus = await connect_bus(world.nats.url, identity="vandal")
        await bus.jetstream().delete_stream("JOURNAL")
        await bus.aclose()
        for i in range(20):
            await world.write(f"b{i}")
        await assert_complete(world, await world.journal())
