"""The relay over a store, a bus and a journal in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from kubus.bus import Message, Subscription
from kubus.bus.journal import RESTORED, JournalError, MemoryJournal
from kubus.bus.memory import MemoryBroker, MemoryBus
from kubus.bus.subjects import EVENTS, beat_subject, collection_stream, event_subject
from kubus.bus.wire import Beat, decode_beat, decode_event
from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.service.clocks import SystemClock
from kubus.store.memory import MemoryStore
from kubus_relay.relay import SKIPPED, Relay

WIDGETS_BEAT = beat_subject(collection_stream("widgets.example.com"))
NOTE = Note("alice", "kubectl", "create", 1)


async def eventually(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not true():  # whatever it is, it says nothing when it happens
            await asyncio.sleep(0.01)


async def heard_beats(beats: Subscription) -> dict[str, int]:
    """The newest revision by subject, of the beats that have arrived."""
    messages = [message for message in await beats.next_batch() if isinstance(message, Message)]
    return {message.subject: decode_beat(message.data).revision for message in messages}


class FullJournal(MemoryJournal):
    """A journal whose disk is full from time to time."""

    full = False

    async def open(self) -> int:
        if self.full:
            raise JournalError("no space left on device")
        return await super().open()

    async def newest_of(self, collection: str) -> int:
        if self.full:
            raise JournalError("no space left on device")
        return await super().newest_of(collection)

    async def publish(self, subject: str, data: bytes, revision: int) -> None:
        await (self.bypass(subject, data) if self.full else super().publish(subject, data, revision))

    async def confirm(self) -> None:
        if self.full:
            raise JournalError("the journal stands still")
        await super().confirm()


class World:
    """Store, bus and journal, with what a listener heard."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.store = MemoryStore(self.clock)
        self.broker = MemoryBroker()
        self.bus = MemoryBus(self.broker, "system:relay")
        self.journal = FullJournal(self.bus)
        self.states: list[str] = []

    @asynccontextmanager
    async def relay(self, replay_max: int = 1000):
        relay = Relay(
            self.store, self.bus, self.journal, self.clock, on_state=self.states.append, replay_max=replay_max
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(relay.run())
            yield relay
            task.cancel()

    async def create(self, name: str, collection: str = "configmaps.core") -> int:
        record = encode_record(NOTE, {"metadata": {"name": name}})
        return await self.store.create(store_key(Key(collection, "default", name)), record)

    async def until_published(self, relay: Relay, revision: int) -> None:
        await eventually(lambda: relay.position >= revision)

    def told(self) -> list[tuple[int, int]]:
        """(revision, previous) of every object's event in the journal."""
        own = (event_subject(SKIPPED), event_subject(RESTORED))
        events = [decode_event(data) for subject, data, _ in self.journal.entries if subject not in own]
        return [(event.revision, event.previous) for event in events]

    def skipped(self) -> list[int]:
        """Up to where the journal says that something is missing."""
        return [revision for subject, _, revision in self.journal.entries if subject == event_subject(SKIPPED)]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_new_relay_tells_history_from_its_beginning(world):
    revisions = [await world.create(f"c{i}") for i in range(3)]
    async with world.relay() as relay:
        await world.until_published(relay, revisions[-1])
    assert [revision for revision, _ in world.told()] == revisions
    assert world.states == [""]


async def test_after_a_restart_it_goes_on_where_the_journal_ends(world):
    first = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, first)
    second = await world.create("c1")
    other = await world.create("n1", "nodes.core")
    async with world.relay() as relay:
        await world.until_published(relay, other)
    assert world.told() == [(first, 1), (second, first), (other, first)]


async def test_when_history_is_gone_it_goes_on_from_now_and_beats_on_every_stream(world):
    await world.create("c0")
    lost = await world.create("n1", "nodes.core")
    await world.store.compact(lost)
    listener = MemoryBus(world.broker, "listener")
    beats = await listener.subscribe("kubus.beat.>")
    async with world.relay() as relay:
        await world.until_published(relay, lost)
        heard: dict[str, int] = {}
        async with asyncio.timeout(10):
            while len(heard) < 3:
                heard |= await heard_beats(beats)
        new = await world.create("c1")
        await world.until_published(relay, new)
    assert (
        heard.items()
        >= {
            "kubus.beat.configmaps.core": lost,
            "kubus.beat.pods.core": lost,
            "kubus.beat.node.n1.pods.core": lost,
        }.items()
    )
    assert world.told() == [(new, new - 1)]
    assert any("forgotten" in state for state in world.states)


async def test_after_a_restart_it_beats_on_streams_that_have_not_changed_since(world):
    """Found by a seed: the last event of a stream was lost to somebody, and then the relay that would beat died."""
    pod = await world.create("p0", "pods.core")
    node = await world.create("n1", "nodes.core")
    last = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, last)
    beats = await MemoryBus(world.broker, "listener").subscribe("kubus.beat.>")
    async with world.relay(), asyncio.timeout(10):
        assert await heard_beats(beats) == {
            "kubus.beat.configmaps.core": last,
            "kubus.beat.nodes.core": node,
            "kubus.beat.pods.core": pod,
            "kubus.beat.node.n1.pods.core": pod,
        }


async def test_after_a_gap_it_beats_at_the_present_even_where_the_journal_has_older_events(world):
    """Found by seed 7: whoever had missed what was never told went on believing that it had all."""
    told = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, told)
    await world.create("c1")
    lost = await world.create("n1", "nodes.core")
    await world.store.compact(lost)
    beats = await MemoryBus(world.broker, "listener").subscribe("kubus.beat.>")
    async with world.relay(), asyncio.timeout(10):
        heard = await heard_beats(beats)
    assert heard["kubus.beat.configmaps.core"] == heard["kubus.beat.node.n1.pods.core"] == lost


async def test_after_a_gap_no_older_event_counts_as_a_predecessor(world):
    told = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, told)
    lost = await world.create("c1")
    await world.store.compact(lost)
    async with world.relay() as relay:
        await world.until_published(relay, lost)
        new = await world.create("c2")
        await world.until_published(relay, new)
    assert world.told() == [(told, 1), (new, new - 1)]


async def test_another_relay_that_takes_over_knows_of_the_gap(world):
    """Found by seed 28: it named the event before the gap as the predecessor of the one after it."""
    before = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, before)
    lost = await world.create("c1")
    await world.store.compact(await world.create("n1", "nodes.core"))
    async with world.relay() as relay:
        await world.until_published(relay, lost + 1)
        after = await world.create("n2", "nodes.core")
        await world.until_published(relay, after)
    async with world.relay() as relay:
        new = await world.create("c2")
        await world.until_published(relay, new)
    assert world.skipped() == [lost + 1]
    assert world.told() == [(before, 1), (after, lost + 1), (new, after)]


async def test_after_a_journal_of_another_history_it_goes_on_from_now(world):
    world.journal.entries.append((event_subject(SKIPPED), b"", 999))
    before = await world.create("c0")
    async with world.relay() as relay:
        await eventually(lambda: relay.following)
        after = await world.create("c1")
        await world.until_published(relay, after)
    assert world.told() == [(after, before)]
    assert [revision for subject, _, revision in world.journal.entries if subject == event_subject(RESTORED)] == [
        before
    ]


async def test_a_store_that_is_restored_begins_another_epoch_on_every_stream(world):
    kept = await world.create("c0")
    listener = MemoryBus(world.broker, "listener")
    beats = await listener.subscribe("kubus.beat.>")
    async with world.relay() as relay:
        for name in ("c1", "c2", "c3"):
            last = await world.create(name, "widgets.example.com")
        await world.until_published(relay, last)
        first = await until_beat(beats, WIDGETS_BEAT, lambda beat: beat.revision == last)
        world.store.restore(kept)
        second = await until_beat(beats, WIDGETS_BEAT, lambda beat: beat.epoch != first.epoch)
        assert second.revision == kept
        again = await world.create("c1", "widgets.example.com")
        await eventually(lambda: world.told()[-1] == (again, kept))
    async with world.relay() as relay:
        await world.until_published(relay, again)
        third = await until_beat(beats, WIDGETS_BEAT, lambda beat: beat.revision == again)
    assert third.epoch == second.epoch


async def until_beat(beats: Subscription, subject: str, wanted: Callable[[Beat], bool]) -> Beat:
    """The first beat on a subject that is as wanted."""
    async with asyncio.timeout(20):
        while True:
            for message in await beats.next_batch():
                if not isinstance(message, Message) or message.subject != subject:
                    continue
                if wanted(beat := decode_beat(message.data)):
                    return beat


async def test_without_a_journal_a_long_history_is_not_told(world):
    for i in range(8):
        last = await world.create(f"c{i}")
    async with world.relay(replay_max=5) as relay:
        await world.until_published(relay, last)
        new = await world.create("new")
        await world.until_published(relay, new)
    assert world.told() == [(new, new - 1)]


async def test_while_the_bus_is_away_it_waits_and_then_tells_everything(world):
    first = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, first)
        world.broker.disconnect(world.bus)
        revisions = [first, *[await world.create(f"d{i}") for i in range(5)]]
        await asyncio.sleep(0.3)
        world.broker.reconnect(world.bus)
        await eventually(lambda: len(world.journal.entries) >= len(revisions))
    assert world.told() == list(zip(revisions, [1, *revisions], strict=False))


@pytest.mark.parametrize("since", ["the beginning", "in between"])
async def test_without_a_journal_live_events_go_on_and_come_into_it_later(world, since):
    """What the store still has is told to the journal when it can be opened again."""
    listener = MemoryBus(world.broker, "listener")
    events = await listener.subscribe(EVENTS)
    world.journal.full = since == "the beginning"
    first = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, first)
        world.journal.full = True
        await eventually(lambda: bool(relay.journal_failure))
        lost = [await world.create(f"d{i}") for i in range(5)]
        await world.until_published(relay, lost[-1])
        assert relay.following
        assert lost[-1] not in [revision for revision, _ in world.told()]
        heard: set[int] = set()
        async with asyncio.timeout(10):
            while not heard >= set(lost):
                messages = [each for each in await events.next_batch() if isinstance(each, Message)]
                heard |= {decode_event(message.data).revision for message in messages}
        world.journal.full = False
        await eventually(lambda: lost[-1] in [revision for revision, _ in world.told()])
    assert world.told() == list(zip([first, *lost], [1, first, *lost], strict=False))
    assert world.skipped() == []
    assert relay.journal_failure == ""


async def test_the_journal_says_up_to_where_nothing_was_kept(world):
    first = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, first)
        world.journal.full = True
        await eventually(lambda: bool(relay.journal_failure))
        lost = await world.create("lost")
        await world.until_published(relay, lost)
        await world.store.compact(lost)
        world.journal.full = False
        await eventually(lambda: not relay.journal_failure and relay.following)
        await eventually(lambda: world.skipped() != [])
        new = await world.create("new")
        await world.until_published(relay, new)
    [upto] = world.skipped()
    assert lost <= upto < new
    assert [revision for revision, _ in world.told()] == [first, new]


async def test_a_restore_without_a_journal_begins_another_epoch(world):
    kept = await world.create("c0")
    subject = beat_subject(collection_stream("pods.core"))
    beats = await MemoryBus(world.broker, "listener").subscribe(subject)
    world.journal.full = True
    async with world.relay() as relay:
        await world.until_published(relay, await world.create("lost"))
        before = await until_beat(beats, subject, lambda _: True)
        world.store.restore(kept)
        during = await until_beat(beats, subject, lambda beat: beat.epoch != before.epoch)
        assert during.revision == kept
        world.journal.full = False
        await eventually(lambda: [subject for subject, _, _ in world.journal.entries] == [event_subject(RESTORED)])


async def test_an_unreadable_value_is_counted_and_stops_nothing(world):
    broken = await world.store.create(store_key(Key("configmaps.core", "default", "broken")), b"\xc1")
    created = await world.create("c0")
    async with world.relay() as relay:
        await world.until_published(relay, created)
        assert relay.unreadable == 1
    assert world.told() == [(broken, 1), (created, broken)]


async def test_a_listener_hears_each_event_on_its_subject(world):
    listener = MemoryBus(world.broker, "listener")
    events = await listener.subscribe(EVENTS)
    created = await world.create("c0")
    async with world.relay(), asyncio.timeout(10), aclosing(events):
        [message] = await events.next_batch()
    assert isinstance(message, Message)
    assert message.subject == "kubus.ev.configmaps.core.default.c0"
    assert decode_event(message.data).revision == created
