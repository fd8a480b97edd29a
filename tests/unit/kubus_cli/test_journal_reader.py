"""Reading the journal of a real nats-server."""

import asyncio
from contextlib import aclosing

import pytest

from kubus.bus import BusError
from kubus.bus.journal import NatsJournal
from kubus.bus.nats import connect
from kubus_cli.journal_reader import JournalReader, stream_sequence

SUBJECT = "kubus.ev.pods.core.default"


@pytest.fixture
async def bus(nats):
    bus = await connect(nats.url, identity="kubernetes-admin")
    yield bus
    await bus.aclose()


async def write(bus, names, first=1):
    journal = NatsJournal(bus)
    await journal.open()
    for revision, name in enumerate(names, first):
        await journal.publish(f"{SUBJECT}.{name}", str(revision).encode(), revision)
    await bus.flush()
    await journal.confirm()


async def read(reader, count):
    got = []
    async with asyncio.timeout(20), aclosing(reader.messages()) as batches:
        async for batch in batches:
            got += [(message.subject.rpartition(".")[2], message.data.decode()) for message in batch]
            if len(got) >= count:
                return got
    return got


async def test_everything_that_is_held_comes_first_then_what_follows(bus):
    await write(bus, "aba")
    reader = JournalReader(bus, "kubernetes-admin", "kubus.ev.>", "all")
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read(reader, 4))
        while not reader.held:
            await asyncio.sleep(0.01)
        await write(bus, "c", first=4)
    assert reading.result() == [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")]
    assert reader.held == 3


async def test_the_last_state_of_each_object_can_be_had_alone(bus):
    await write(bus, "aba")
    reader = JournalReader(bus, "kubernetes-admin", f"{SUBJECT}.>", "last_per_subject")
    assert await read(reader, 2) == [("b", "2"), ("a", "3")]
    assert reader.held == 2


async def test_reading_goes_on_where_it_was_after_the_server_was_away(bus, nats):
    await write(bus, "ab")
    reader = JournalReader(bus, "kubernetes-admin", "kubus.ev.>", "all")
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read(reader, 3))
        while not reader.held:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        await nats.restart()
        while not bus.connected:
            await asyncio.sleep(0.01)
        await write(bus, "c", first=3)
    assert reading.result() == [("a", "1"), ("b", "2"), ("c", "3")]


async def test_without_a_journal_it_fails(bus):
    with pytest.raises(BusError):
        await read(JournalReader(bus, "kubernetes-admin", "kubus.ev.>", "all"), 1)


@pytest.mark.parametrize(
    ("reply", "sequence"),
    [
        ("$JS.ACK.JOURNAL.reader.1.17.3.1795370624030477571.316", 17),
        ("$JS.ACK.domain.account.JOURNAL.reader.1.17.3.1795370624030477571.316", 17),
        ("$JS.FC.JOURNAL.reader.x", 0),
        ("", 0),
    ],
)
def test_a_messages_place_stands_in_its_reply_subject(reply, sequence):
    assert stream_sequence(reply) == sequence
