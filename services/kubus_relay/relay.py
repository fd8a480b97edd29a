"""The relay's driver: follow the store, publish, and begin again where the journal ends.

One loop does everything in order: take a batch of changes, publish its messages, send the beats that are due, look
whether the journal has taken what was sent. If anything on the way fails, the loop begins again after the newest
event in the journal: nothing is lost, and what is sent twice has the same content and is dropped by whoever has it.

When the store no longer has what follows (compacted, or the journal is gone), the relay goes on from now and says so:
a beat at the present revision on every stream there is, and that revision as `previous` of the next event of each.
Whoever has seen less lists again. The journal is told too (`SKIPPED`), ahead of what follows: another relay that begins
after it has to know of the hole, or it would join the events on both sides of it.

Who listens needs no journal. While it cannot be opened (its disk is full, JetStream is away), events go to the bus
alone, and the journal is tried again beside. Once it is open the relay begins again after what it holds, so events
that the store still has come in too, and of what it has not, `SKIPPED` tells.

A store that is restored from a backup goes back in time, or on by another way. Every beat names its epoch: the store's
history, and where the relay has seen another one begin. In a new epoch it goes on from now as above, and whoever hears
it forgets what revisions meant and lists again. In the journal an event on `RESTORED` stands between the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from kubus.bus import Bus, BusError, Disconnected
from kubus.bus.journal import RESTORED, Journal
from kubus.bus.subjects import beat_subject, collection_stream, event_subject, node_stream
from kubus.bus.tasks import Tasks
from kubus.bus.wire import Beat, encode_beat, encode_event
from kubus.model.kinds.builtin import builtin_kinds
from kubus.model.objects import Key
from kubus.model.records import ROOT, Note, collection_prefix, parse_store_key
from kubus.model.times import Clock, microseconds
from kubus.store import Compacted, Reverted, Store, StoreChange, StoreError
from kubus_relay.beats import Beats
from kubus_relay.events import PODS, happenings
from kubus_relay.streams import Streams

REPLAY_MAX = 10_000
"""Without a journal, history up to so many revisions is told from its beginning; it takes a few seconds."""
_CONFIRM_SECONDS = 1.0
_RETRY_SECONDS_MIN = 0.1
_RETRY_SECONDS_MAX = 1.0
_JOURNAL_RETRY_SECONDS_MIN = 1.0
_JOURNAL_RETRY_SECONDS_MAX = 30.0
_JOURNAL_LASTS_SECONDS = 60.0
"""A journal that fails again sooner is not tried again sooner than before."""
_NODES = "nodes.core"
SKIPPED = Key("journal.kubus", "", "skipped")
"""The subject of events that say: what came since the event before this one, up to this revision, was never told."""
_BUILT_IN = frozenset(kind.collection for kind in builtin_kinds())
"""A collection may be empty because its last object was deleted, and the news of that be lost."""


class _JournalOpened(Exception):
    """A journal that could not be opened now can be."""


class Relay:
    """Publishes what the store reports. `on_state` hears "" when it follows, else why it does not."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        journal: Journal,
        clock: Clock,
        *,
        on_state: Callable[[str], None],
        replay_max: int = REPLAY_MAX,
    ) -> None:
        self._store = store
        self._bus = bus
        self._journal = journal
        self._clock = clock
        self._tell = on_state
        self._replay_max = replay_max
        self._streams = Streams()
        self._beats = Beats()
        self._floor = 0
        self._reverted = False
        self._epoch = ""
        self._confirmed_at = 0.0
        self._journal_opened = False
        self._journal_opened_at = 0.0
        self._journal_pause = _JOURNAL_RETRY_SECONDS_MIN
        self.journal_failure = ""
        """Why events go to the bus alone; "" where the journal takes them."""
        self.following = False
        """Whether changes come in and go out."""
        self.position = 0
        """The revision up to which everything has been published."""
        self.published = 0
        """Messages so far, copies included."""
        self.unreadable = 0
        """Changes so far whose value was no record: their events hold no object."""

    async def run(self) -> None:
        """Follow the store for ever, whatever fails."""
        pause = _RETRY_SECONDS_MIN
        while True:
            before = self.position
            try:
                await self._follow()
            except _JournalOpened:
                continue
            except Reverted:
                self._say("the store was restored from a backup; another history begins")
                self._reverted = True
            except Compacted:
                self._say("the store has forgotten what follows; going on from now")
                await self._skip()
            except (BusError, StoreError) as error:
                self._say(str(error))
            pause = _RETRY_SECONDS_MIN if self.position > before else min(2 * pause, _RETRY_SECONDS_MAX)
            await asyncio.sleep(pause)

    def _say(self, why_not: str) -> None:
        self.following = not why_not
        self._tell(why_not)

    async def _follow(self) -> None:
        self.position = await self._begin()
        beside = Tasks()
        if self.journal_failure:
            beside.start(self._open_journal())
        try:
            async with aclosing(self._store.changes(ROOT, after=self.position)) as batches:
                self._say("")
                async for batch in batches:
                    if batch:
                        await self._publish(batch)
                    await self._tend()
        finally:
            await beside.aclose()

    async def _open_journal(self) -> None:
        """Try until the journal can be opened."""
        if self._clock.monotonic() - self._journal_opened_at > _JOURNAL_LASTS_SECONDS:
            self._journal_pause = _JOURNAL_RETRY_SECONDS_MIN
        while not self._journal_opened:
            await asyncio.sleep(self._journal_pause)
            self._journal_pause = min(2 * self._journal_pause, _JOURNAL_RETRY_SECONDS_MAX)
            try:
                await self._journal.open()
                self._journal_opened = True
                self._journal_opened_at = self._clock.monotonic()
            except BusError as error:
                self.journal_failure = str(error)
                self._say("")

    async def _begin(self) -> int:
        """Where to begin: after the journal's newest event, or without a journal after what is told already."""
        self._journal_opened = False
        try:
            newest = await self._journal.open()
        except Disconnected:
            raise
        except BusError as error:
            self.journal_failure = str(error)
            return await self._begin_without_journal()
        self.journal_failure = ""
        now = await self._store.revision()
        if newest > now or self._reverted:
            return await self._begin_history(now)
        self._epoch = await self._epoch_now()
        if newest == 0 and now - self._floor > self._replay_max:
            raise Compacted
        if self._floor > newest:
            await self._journal.publish(
                event_subject(SKIPPED), self._note_of(SKIPPED, "skip", self._floor), self._floor
            )
        else:
            self._floor = max(self._floor, await self._journal.newest_of(SKIPPED.collection))
        position = max(newest, self._floor)
        self._streams = Streams(position)
        if newest:
            await self._take_over_beats(position)
        return position

    async def _begin_without_journal(self) -> int:
        """Where to begin while events go to the bus alone: what was published before stays published."""
        now = await self._store.revision()
        told = max(self.position, self._floor)
        self._reverted = self._reverted or told > now
        history = await self._store.history()
        self._epoch = f"{history}.{now}" if self._reverted else self._epoch or history
        if self._reverted or not told:
            await self._beat_everywhere(now)
            told = now
        self._streams = Streams(told)
        return told

    async def _begin_history(self, now: int) -> int:
        """Go on from now in another history, and make everybody list again; where to begin."""
        self._floor = now
        await self._journal.begin_history(self._note_of(RESTORED, "restore", now), now)
        await self._journal.open()
        self._reverted = False
        self._epoch = await self._epoch_now()
        self._streams = Streams(now)
        await self._beat_everywhere(now)
        return now

    async def _epoch_now(self) -> str:
        restored = await self._journal.newest_of(RESTORED.collection)
        history = await self._store.history()
        return f"{history}.{restored}" if restored else history

    async def _take_over_beats(self, position: int) -> None:
        """Beat on the streams that another relay beat on before.

        The last event of one may be lost to somebody, who would otherwise not learn of it before the next one.
        Of a node's slice nobody knows the newest event; that of all pods is at least as new. And what came before the
        floor was never told, so whoever has not listed since has to.
        """
        stored, nodes = await self._in_store()
        now = self._clock.monotonic()
        for collection in sorted(stored | _BUILT_IN):
            known = await self._journal.newest_of(collection)
            if not known and collection not in stored:
                continue
            revision = max(known or position, self._floor)
            self._beats.moved(collection_stream(collection), revision, now)
            if collection == PODS:
                for node in nodes:
                    self._beats.moved(node_stream(node, PODS), revision, now)

    async def _skip(self) -> None:
        """Go on from now, and make everybody list again."""
        try:
            now = await self._store.revision()
            await self._beat_everywhere(now)
            self._floor = now
        except StoreError as error:
            self._say(str(error))

    async def _beat_everywhere(self, revision: int) -> None:
        """Beat at a revision on every stream that there is, or was."""
        collections, nodes = await self._in_store()
        streams = {collection_stream(each) for each in collections | _BUILT_IN}
        streams |= {node_stream(node, PODS) for node in nodes}
        for stream in sorted(streams | self._beats.streams):
            self._beats.moved(stream, revision, self._clock.monotonic())

    def _note_of(self, key: Key, verb: str, revision: int) -> bytes:
        """An event that says something of the journal itself."""
        note = Note("system:relay", "kubus-relay", verb, microseconds(self._clock.now()))
        obj = {"apiVersion": "kubus/v1", "kind": "Journal", "metadata": {"name": key.name}}
        return encode_event("modified", revision, 0, note.to_wire(), obj)

    async def _in_store(self) -> tuple[set[str], list[str]]:
        """The collections that have objects, and the nodes."""
        collections = set()
        after = ROOT
        while (page := await self._store.page(ROOT, after=after, limit=1)).items:
            key = parse_store_key(page.items[0].key)
            collection = page.items[0].key.removeprefix(ROOT).partition("/")[0]
            if key is not None:
                collections.add(collection)
            after = f"{ROOT}{collection}0"  # "0" is what follows "/"
        return collections, await self._nodes()

    async def _nodes(self) -> list[str]:
        nodes = await self._store.page(collection_prefix(_NODES))
        return [stored.key.rpartition("/")[2] for stored in nodes.items]

    async def _publish(self, batch: list[StoreChange]) -> None:
        happened, unreadable = happenings(batch)
        self.unreadable += len(unreadable)
        if any(happening.everywhere for happening in happened):
            nodes = tuple(await self._nodes())
            happened = [each._replace(nodes=nodes) if each.everywhere else each for each in happened]
        for collection in self._streams.unknown(happened):
            newest = 0 if self.journal_failure else await self._journal.newest_of(collection)
            self._streams.learn(collection, newest if newest > self._floor else 0)
        now = self._clock.monotonic()
        for happening in happened:
            for message in self._streams.messages(happening):
                if message.journalled and self.journal_failure:
                    await self._journal.bypass(message.subject, message.data)
                elif message.journalled:
                    await self._journal.publish(message.subject, message.data, message.revision)
                else:
                    await self._bus.publish(message.subject, message.data)
                self._beats.moved(message.stream, message.revision, now)
                self.published += 1
        self.position = batch[-1].revision

    async def _tend(self) -> None:
        """Beat, and look after the journal, when it is time."""
        now = self._clock.monotonic()
        for stream, revision in self._beats.due(now):
            await self._bus.publish(beat_subject(stream), encode_beat(Beat(revision, self._epoch)))
        if self._journal_opened:
            raise _JournalOpened
        if not self.journal_failure and now - self._confirmed_at >= _CONFIRM_SECONDS:
            self._confirmed_at = now
            await self._journal.confirm()
