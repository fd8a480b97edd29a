"""A relay and a nats-server whose disk is full for a while."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from kubus.bus import Message
from kubus.bus.journal import NatsJournal
from kubus.bus.nats import NatsBus, connect
from kubus.bus.subjects import EVENTS, event_subject
from kubus.bus.wire import Event, decode_event
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.service.clocks import SystemClock
from kubus.store.memory import MemoryStore
from kubus.testing.nats_server import NatsServer, nats_server
from kubus_cli.journal_reader import JournalReader, place_of_revision
from kubus_relay.relay import SKIPPED, Relay

DISK_BYTES = 8 << 20
OBJECT_BYTES = 20_000
NOTE = Note("alice", "kubectl", "create", 1)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="it needs root, to mount a small disk")


class World:
    """A store in memory, a relay, and a real server on a small disk."""

    def __init__(self, disk: Path, server: NatsServer, bus: NatsBus) -> None:
        self.clock = SystemClock()
        self.store = MemoryStore(self.clock)
        self.disk = disk
        self.server = server
        self.bus = bus
        self.heard: set[int] = set()
        self.relay = Relay(self.store, bus, NatsJournal(bus), self.clock, on_state=lambda _: None)

    async def create(self, name: str, size: int = OBJECT_BYTES) -> int:
        key = Key("configmaps.core", "default", name)
        obj = {"metadata": {"name": name}, "data": {"x": "y" * size}}
        return await self.store.create(store_key(key), encode_record(NOTE, obj))

    async def create_heard(self, prefix: str, count: int) -> list[int]:
        """Create objects, and wait until a listener has heard of each."""
        created = [await self.create(f"{prefix}{i}") for i in range(count)]
        await eventually(lambda: self.heard >= set(created))
        return created

    def fill_disk(self) -> None:
        with (self.disk / "filler").open("ab", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                return

    async def listen(self) -> None:
        """Hear live events; a listener that needs no journal."""
        subscription = await self.bus.subscribe(EVENTS)
        while True:
            for message in await subscription.next_batch():
                if isinstance(message, Message):
                    self.heard.add(decode_event(message.data).revision)

    async def journal(self, *, since: int, upto: int) -> list[tuple[str, Event]]:
        """What a tap reads that looks back to a revision."""
        place = await place_of_revision(self.bus, since)
        found: list[tuple[str, Event]] = []
        async with asyncio.timeout(30):
            async for messages in JournalReader(self.bus, "system:relay", EVENTS, place).messages():
                found += [(message.subject, decode_event(message.data)) for message in messages]
                if found[-1][1].revision >= upto:
                    return found
        raise AssertionError("unreachable")


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # whatever it is, it says nothing when it happens
            await asyncio.sleep(0.05)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    at = tmp_path / "disk"
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=True)


@pytest.fixture
async def world(disk: Path) -> AsyncIterator[World]:
    async with nats_server(store_dir=disk) as server:
        bus = await connect(server.url, identity="system:relay")
        world = World(disk, server, bus)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(world.listen()), tasks.create_task(world.relay.run())]
            await eventually(lambda: world.relay.following)
            yield world
            for task in running:
                task.cancel()
        await bus.aclose()


@pytest.mark.parametrize("compacted", [False, True])
async def test_a_full_disk_stops_no_live_event_and_the_journal_comes_back_by_itself(world, compacted):
    """The journal then holds what the store still has, and says up to where there is nothing."""
    before = await world.create_heard("before", 50)
    world.fill_disk()
    await world.create_heard("during", 20)
    await eventually(lambda: "no space" in world.relay.journal_failure)
    lost = await world.create_heard("lost", 3)
    assert world.relay.following
    if compacted:
        await world.store.compact(lost[-1])
    (world.disk / "filler").unlink()
    await eventually(lambda: not world.relay.journal_failure and world.relay.following)
    after = (await world.create_heard("after", 3))[-1]
    kept = await world.journal(since=before[0], upto=after)
    revisions = [event.revision for _, event in kept]
    holes = [event.revision for subject, event in kept if subject == event_subject(SKIPPED)]
    if compacted:
        assert holes and lost[-1] <= holes[-1] < after
        assert revisions == sorted(revisions)
    else:
        assert not holes
        assert set(range(before[0], after + 1)) <= set(revisions)
