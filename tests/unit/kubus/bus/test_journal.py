"""The journal: a chain without a gap, in JetStream and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kubus.bus.journal import RESTORED, Journal, JournalError, MemoryJournal, NatsJournal
from kubus.bus.memory import MemoryBus
from kubus.bus.nats import NatsBus, connect

PODS = "kubus.ev.pods.core.default.web"
NODES = "kubus.ev.nodes.core._.n1"


@pytest.fixture
async def bus(nats) -> AsyncIterator[NatsBus]:
    bus = await connect(nats.url, identity="system:relay")
    yield bus
    await bus.aclose()


@pytest.fixture(params=["nats", "memory"])
def journal(request) -> Journal:
    if request.param == "memory":
        return MemoryJournal(MemoryBus())
    return NatsJournal(request.getfixturevalue("bus"))


async def settled(journal: Journal) -> None:
    """Wait until what was published has entered."""
    for _ in range(20):
        await journal.confirm()
        await asyncio.sleep(0.01)


async def test_a_new_journal_is_empty(journal):
    assert await journal.open() == 0
    assert await journal.newest_of("pods.core") == 0


async def test_it_knows_its_newest_event_and_that_of_each_collection(journal):
    await journal.open()
    for revision, subject in ((5, PODS), (6, NODES), (9, PODS)):
        await journal.publish(subject, b"event", revision)
    await settled(journal)
    assert await journal.open() == 9
    assert await journal.newest_of("pods.core") == 9
    assert await journal.newest_of("nodes.core") == 6
    assert await journal.newest_of("secrets.core") == 0


async def test_in_another_history_revisions_go_back_and_nothing_older_counts(journal):
    await journal.open()
    await journal.publish(NODES, b"event", 499)
    await journal.publish(PODS, b"event", 500)
    await settled(journal)
    await journal.begin_history(b"restored", 4)
    assert await journal.open() == 4
    assert await journal.newest_of("nodes.core") == await journal.newest_of("pods.core") == 0
    assert await journal.newest_of(RESTORED.collection) == 4
    await journal.publish(NODES, b"event", 499)
    await settled(journal)
    await journal.publish(PODS, b"event", 500)
    await settled(journal)
    assert await journal.open() == 500
    assert await journal.newest_of("nodes.core") == 499


async def test_what_is_published_again_enters_once(bus):
    journal = NatsJournal(bus)
    await journal.open()
    other = NatsJournal(bus)
    await other.open()
    for revision in range(5, 10):
        await journal.publish(PODS, b"event", revision)
        await other.publish(PODS, b"event", revision)
    await settled(journal)
    info = await bus.jetstream().stream_info("JOURNAL")
    assert info.state.messages == 5


async def test_what_bypasses_it_is_heard_and_not_kept(journal):
    await journal.open()
    await journal.bypass(PODS, b"before the first")
    await journal.publish(PODS, b"event", 5)
    await settled(journal)
    await journal.bypass(PODS, b"after it")
    assert await journal.open() == 5


async def test_after_a_lost_event_it_takes_nothing_and_says_so(bus):
    journal = NatsJournal(bus)
    await journal.open()
    await journal.publish(PODS, b"event", 5)
    await settled(journal)
    journal._last_id = f"6:{PODS}"  # as if 6 had been sent and lost on the way
    await journal.publish(PODS, b"event", 7)
    with pytest.raises(JournalError, match="stands at 5"):
        async with asyncio.timeout(10):
            while True:
                await journal.confirm()
                await asyncio.sleep(0.1)
    assert await journal.open() == 5
    await journal.publish(PODS, b"event", 6)
    await journal.publish(PODS, b"event", 7)
    await settled(journal)
    assert await journal.open() == 7


async def test_it_survives_a_crash_of_the_server(nats, bus):
    journal = NatsJournal(bus)
    await journal.open()
    await journal.publish(PODS, b"event", 5)
    await settled(journal)
    await nats.restart()
    async with asyncio.timeout(10):
        while not bus.connected:  # the connection's return is not announced here
            await asyncio.sleep(0.05)
    assert await journal.open() == 5
    await journal.publish(PODS, b"event", 6)
    await settled(journal)
    assert await journal.open() == 6


async def test_new_limits_are_taken_over(bus):
    await NatsJournal(bus, bytes_max=1 << 20).open()
    await NatsJournal(bus, bytes_max=2 << 20).open()
    info = await bus.jetstream().stream_info("JOURNAL")
    assert info.config.max_bytes == 2 << 20


async def test_a_journal_that_is_gone_is_noticed(bus):
    journal = NatsJournal(bus)
    await journal.open()
    await journal.publish(PODS, b"event", 5)
    await settled(journal)
    await bus.jetstream().delete_stream("JOURNAL")
    await journal.publish(PODS, b"event", 6)
    with pytest.raises(JournalError):
        await journal.confirm()
    assert await journal.open() == 0


async def test_a_journal_in_memory_that_was_emptied_does_not_go_on_with_a_gap() -> None:
    """Found by seed 1106: a gap in the journal is a gap in what a new relay believes to have been told."""
    journal = MemoryJournal(MemoryBus())
    await journal.open()
    await journal.publish(PODS, b"", 5)
    journal.entries.clear()
    await journal.publish(PODS, b"", 6)
    assert journal.entries == []
    with pytest.raises(JournalError):
        await journal.confirm()
    assert await journal.open() == 0
    await journal.publish(PODS, b"", 5)
    await journal.confirm()
    assert [revision for _, _, revision in journal.entries] == [5]
