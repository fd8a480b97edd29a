"""Informers: caches kept true over the bus, shared by all who look at a collection.

An `Informer` drives a `Reflector`: it subscribes to the collection's events and beats, lists whenever the reflector
asks for it, applies the changes to its `Cache` and tells its listeners, each change in order, after the cache has it.
`Informers` has one of them for each collection, however many ask.

    informers = Informers(bus, client)
    pods = informers.of(PODS)
    pods.on_change(woken)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run())
        await informers.synced()

With `node` it is the node's slice of the collection (`kubus.node.<node>.ev.…`), listed by spec.nodeName. Events of
Secrets hold metadata and a digest only, so a cache of Secrets is no place to read one.

Listeners run in the reader's turn: they note what there is to do and return. One that raises is logged, as the others
still have to hear of the change.

An object that cannot be read, or on which an index or a listener fails, is quarantined: the cache keeps what it held of
it, everything else goes on, and `on_quarantine` is told, so that an Event can say it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

from kubus.bus import Bus, BusError, Disconnected, Disturbed, Message, Subscription
from kubus.bus.subjects import (
    beat_subject,
    collection_stream,
    collection_subject,
    node_collection_subject,
    node_stream,
    parse_event_subject,
)
from kubus.bus.wire import decode_beat, decode_event_raw
from kubus.client import Client
from kubus.machinery.cache import Cache, Caches
from kubus.machinery.reflector import Changed, Effect, ListAgain, Quarantined, Reflector
from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object

_log = logging.getLogger(__name__)
_PAUSE_SECONDS_MIN = 0.1
_PAUSE_SECONDS_MAX = 5.0
_TURN_EVENTS = 512
"""Events handled before others get their turn: about 10 ms."""

Listener = Callable[[Changed], None]
QuarantineListener = Callable[[Kind, Object, str], None]
"""Hears of a kind, an object that cannot be used (at least its name), and the reason."""


def _monotonic() -> float:
    """The loop's time: simulated where the loop is."""
    return asyncio.get_running_loop().time()


class Informer:
    """The cache of one collection, or of a node's slice of it."""

    def __init__(
        self,
        bus: Bus,
        client: Client,
        kind: Kind,
        node: str = "",
        *,
        on_quarantine: QuarantineListener | None = None,
    ) -> None:
        self.kind = kind
        self.quarantined: dict[Key, str] = {}
        """The objects whose newest state is not used, and why."""
        self._on_quarantine = on_quarantine
        self.cache = Cache(kind.collection)
        self.listings = 0
        """How often the collection was listed; more than once: something was missed."""
        self._bus = bus
        self._client = client
        self._node = node
        self._reflector = Reflector(kind.collection)
        self._listeners: list[Listener] = []
        self._progress_listeners: list[Callable[[str, int], None]] = []
        self._list_wanted = asyncio.Event()
        self._synced = asyncio.Event()

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call for each change from now on; the result ends it. What is cached already is not told."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def on_progress(self, listener: Callable[[str, int], None]) -> Callable[[], None]:
        """Call with (collection, revision) whenever the cache has got further; the result ends it."""
        self._progress_listeners.append(listener)
        return lambda: self._progress_listeners.remove(listener)

    async def synced(self) -> None:
        """Wait until the cache holds a first listing."""
        await self._synced.wait()

    @property
    def is_synced(self) -> bool:
        """Whether the cache holds a listing."""
        return self._synced.is_set()

    async def run(self) -> None:
        """Keep the cache true until cancelled.

        Raises:
            Disconnected: the bus was closed.
        """
        events = await self._subscribe(self._event_subject())
        beats = await self._subscribe(beat_subject(self._stream()))
        self._list_wanted.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read_events(events))
                tasks.create_task(self._read_beats(beats))
                tasks.create_task(self._list_when_wanted())
        finally:
            await events.aclose()
            await beats.aclose()

    def _event_subject(self) -> str:
        collection = self.kind.collection
        return node_collection_subject(self._node, collection) if self._node else collection_subject(collection)

    def _stream(self) -> str:
        collection = self.kind.collection
        return node_stream(self._node, collection) if self._node else collection_stream(collection)

    async def _subscribe(self, subject: str) -> Subscription:
        pause = _PAUSE_SECONDS_MIN
        while True:
            try:
                return await self._bus.subscribe(subject)
            except Disconnected as error:
                _log.info("not subscribed to %s yet: %s", subject, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _PAUSE_SECONDS_MAX)

    async def _read_events(self, events: Subscription) -> None:
        while True:
            batch = await events.next_batch()
            for start in range(0, len(batch), _TURN_EVENTS):
                for item in batch[start : start + _TURN_EVENTS]:
                    if isinstance(item, Disturbed):
                        self._carry_out(self._reflector.disturbed())
                    else:
                        self._take(item)
                self._progressed()
                await asyncio.sleep(0)

    def _take(self, message: Message) -> None:
        key = parse_event_subject(message.subject)
        if key is None:
            return
        try:
            effects = self._reflector.received(key, decode_event_raw(message.data))
        except DecodeError as error:
            _log.error("an event on %s cannot be read: %r", message.subject, error)
            effects = self._reflector.disturbed()
        if effects:
            self._carry_out(effects)

    async def _read_beats(self, beats: Subscription) -> None:
        while True:
            for item in await beats.next_batch():
                if isinstance(item, Disturbed):
                    continue  # the events' own subscription is told, too
                try:
                    self._carry_out(self._reflector.beat(*decode_beat(item.data)))
                except DecodeError as error:
                    _log.error("a beat on %s cannot be read: %s", item.subject, error)

    async def _list_when_wanted(self) -> None:
        pause = _PAUSE_SECONDS_MIN
        while True:
            await self._list_wanted.wait()
            self._list_wanted.clear()
            try:
                listing = await self._client.list(
                    self.kind, field_selector=f"spec.nodeName={self._node}" if self._node else ""
                )
            except (StatusError, BusError) as error:
                _log.warning("%s cannot be listed: %s", self.kind.collection, error)
                self._list_wanted.set()
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSE_SECONDS_MAX)
                continue
            self.listings += 1
            pause = _PAUSE_SECONDS_MIN
            self.cache.filled_at = _monotonic()
            self._carry_out(self._reflector.listed(listing.items, listing.revision, listing.unreadable))
            self._progressed()
            if self._list_wanted.is_set():
                await asyncio.sleep(pause)  # a listing that did not help is not asked for in a tight loop
            else:
                self._synced.set()

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        now = _monotonic()
        for effect in effects:
            if isinstance(effect, ListAgain):
                _log.info("%s is listed again: %s", self.kind.collection, effect.reason)
                self._list_wanted.set()
            elif isinstance(effect, Quarantined):
                self._quarantine(effect.key, effect.before, effect.reason)
            else:
                self._apply(effect, now)

    def _apply(self, changed: Changed, now: float) -> None:
        """Give a change to the cache and the listeners; what one of them cannot use is quarantined."""
        if self.quarantined:
            self.quarantined.pop(changed.key, None)
        try:
            self.cache.apply(changed, now)
        except Exception as error:
            _log.exception("an index failed on %s", changed.key)
            self._quarantine(changed.key, changed.object, _reason(error))
            return
        for listener in tuple(self._listeners):
            try:
                listener(changed)
            except Exception as error:
                _log.exception("a listener failed on %s", changed.key)
                self._quarantine(changed.key, changed.object, _reason(error))

    def _quarantine(self, key: Key, known: Object | None, reason: str) -> None:
        if self.quarantined.get(key) == reason:
            return
        self.quarantined[key] = reason
        _log.warning("%s is not used until it changes: %s", key, reason)
        if self._on_quarantine is not None:
            self._on_quarantine(self.kind, known or _nameplate(self.kind, key), reason)

    def _progressed(self) -> None:
        revision = self._reflector.revision
        if revision != self.cache.revision:
            self.cache.revision = revision
            for listener in tuple(self._progress_listeners):
                listener(self.kind.collection, revision)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _nameplate(kind: Kind, key: Key) -> Object:
    """All that is known of an object that was never read."""
    metadata = {"name": key.name, "namespace": key.namespace} if key.namespace else {"name": key.name}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}


class Informers:
    """One informer for each collection; those that are asked for while it runs start at once."""

    def __init__(self, bus: Bus, client: Client, *, on_quarantine: QuarantineListener | None = None) -> None:
        self._on_quarantine = on_quarantine
        self._bus = bus
        self._client = client
        self._informers: dict[str, Informer] = {}
        self._caches: dict[str, Cache] = {}
        self._running: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.custom: dict[str, Kind] = {}
        """Custom kinds by collection; see `kubus.machinery.customkinds`."""
        self.view = Caches(self._caches, _monotonic)

    def of(self, kind: Kind, node: str = "") -> Informer:
        """The informer of a kind's collection."""
        informer = self._informers.get(kind.collection)
        if informer is None:
            informer = self._informers[kind.collection] = Informer(
                self._bus, self._client, kind, node, on_quarantine=self._on_quarantine
            )
            self._caches[kind.collection] = informer.cache
            self._start(informer)
        return informer

    def add_custom(self, kind: Kind) -> None:
        """Cache a custom kind from now on."""
        self.of(kind)
        self.custom[kind.collection] = kind
        self.view.set_custom_kinds(tuple(self.custom.values()))

    def drop_custom(self, collection: str) -> None:
        """Forget a custom kind."""
        self.custom.pop(collection, None)
        self.view.set_custom_kinds(tuple(self.custom.values()))
        self._informers.pop(collection, None)
        self._caches.pop(collection, None)
        if (task := self._tasks.pop(collection, None)) is not None:
            task.cancel()

    def _start(self, informer: Informer) -> None:
        if self._running is not None:
            self._tasks[informer.kind.collection] = self._running.create_task(informer.run())

    @property
    def quarantined(self) -> int:
        """How many objects are quarantined at present."""
        return sum(len(informer.quarantined) for informer in self._informers.values())

    def __iter__(self) -> Iterator[Informer]:
        return iter(list(self._informers.values()))

    async def run(self) -> None:
        """Keep all caches true until cancelled.

        Raises:
            ExceptionGroup: of Disconnected, when the bus was closed.
        """
        try:
            async with asyncio.TaskGroup() as self._running:
                for informer in self._informers.values():
                    self._start(informer)
        finally:
            self._running = None

    async def synced(self) -> None:
        """Wait until every cache holds a first listing."""
        for informer in list(self._informers.values()):
            await informer.synced()
