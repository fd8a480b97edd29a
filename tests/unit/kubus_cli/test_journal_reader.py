"""Reading the journal of a real nats-server."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from kubus.bus import BusError
from kubus.bus.journal import NatsJournal
from kubus.bus.nats import connect
from kubus.bus.wire import decode_event, encode_event
from kubus.model.records import Note
from kubus_cli.failures import Misused
from kubus_cli.journal_reader import JournalReader, place_of_revision, stream_sequence

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


def event(revision):
    note = Note("u", "m", "update", revision)
    return encode_event("modified", revision, 0, note.to_wire(), {"revision": revision})


async def write_events(bus, revisions):
    journal = NatsJournal(bus)
    await journal.open()
    for number, revision in enumerate(revisions):
        await journal.publish(f"{SUBJECT}.{'ab'[number % 2]}", event(revision), revision)
    await bus.flush()
    await journal.confirm()


async def held_messages(reader):
    messages = []
    async with asyncio.timeout(20), aclosing(reader.messages()) as batches:
        async for batch in batches:
            messages += batch
            if len(messages) >= reader.held:
                break
    return messages


@pytest.mark.parametrize(("revision", "place"), [(1, 1), (10, 1), (11, 2), (15, 2), (19, 3), (20, 3), (21, 4), (40, 5)])
async def test_the_place_of_a_revision_is_found(bus, revision, place):
    await write_events(bus, [10, 15, 20, 30, 40])
    assert await place_of_revision(bus, revision) == place


@pytest.mark.parametrize("revision", [41, 99])
async def test_a_revision_after_the_newest_event_is_refused(bus, revision):
    await write_events(bus, [10, 40])
    with pytest.raises(Misused, match=f"r{revision} has not happened yet: the newest event is r40"):
        await place_of_revision(bus, revision)


async def test_an_empty_journal_has_a_place_for_every_revision(bus):
    await NatsJournal(bus).open()
    assert await place_of_revision(bus, 7) <= 1


async def test_reading_begins_at_a_place_and_reads_nothing_before_it(bus):
    await write_events(bus, [10, 15, 20, 30])
    reader = JournalReader(bus, "kubernetes-admin", "kubus.ev.>", await place_of_revision(bus, 20))
    assert [decode_event(each.data).revision for each in await held_messages(reader)] == [20, 30]
    assert reader.held == 2


async def test_reading_begins_at_a_moment_and_reads_nothing_before_it(bus):
    await write_events(bus, [10, 15])
    await asyncio.sleep(0.05)
    moment = datetime.now(UTC)
    await asyncio.sleep(0.05)
    journal = NatsJournal(bus)
    await journal.open()
    await journal.publish(f"{SUBJECT}.a", event(20), 20)
    await journal.confirm()
    reader = JournalReader(bus, "kubernetes-admin", "kubus.ev.>", moment)
    assert [decode_event(each.data).revision for each in await held_messages(reader)] == [20]
    assert reader.held == 1


async def test_the_state_before_an_event_is_found_although_reading_began_after_it(bus):
    await write_events(bus, [10, 15, 20, 30])
    reader = JournalReader(bus, "kubernetes-admin", "kubus.ev.>", 2)
    befores = {}
    for message in await held_messages(reader):
        found = await reader.before(message)
        befores[decode_event(message.data).revision] = None if found is None else decode_event(found).revision
    assert befores == {15: None, 20: 10, 30: 15}


async def test_without_a_journal_it_fails(bus):
    with pytest.raises(BusError):
        await read(JournalReader(bus, "kubernetes-admin", "kubus.ev.>", "all"), 1)
    with pytest.raises(BusError):
        await place_of_revision(bus, 1)


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
