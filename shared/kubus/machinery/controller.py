"""Controllers at work: from declarations (`kubus.machinery.plans.Controller`) to running loops.

    changes → informers → wake → WorkQueue → reconcile (pure) → Plan → Executor → hold

All controllers of a process share one informer a collection. A change wakes the object itself, or its controller
owner, or whatever a `Watch` maps it to, each with the change's revision as the cause. After a plan the key is held
until the caches show what was written, so that no reconcile acts on what it has just changed.

`Controllers.informers` runs all the time, `work` only while this process leads: a stand-by has warm caches, and
starts by looking at every object once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from random import Random

from kubus.bus import Bus
from kubus.client import Client, FenceToken
from kubus.machinery.customkinds import CustomKinds
from kubus.machinery.executor import Executor, Recording
from kubus.machinery.informer import Informer, Informers
from kubus.machinery.plans import Controller, Plan, Watch
from kubus.machinery.reflector import Changed
from kubus.machinery.workqueue import Taken, WorkQueue
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object, controller_of, name_of, namespace_of, revision_of
from kubus.model.times import Clock

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.1
"""How often it is looked whether a custom kind that has come is cached."""
_TURN_KEYS = 64
"""Reconciles in a row before others get their turn."""


def _no_fence() -> FenceToken | None:
    return None


class Controllers:
    """The controllers of a process."""

    def __init__(
        self,
        bus: Bus,
        client: Client,
        controllers: Sequence[Controller],
        *,
        clock: Clock,
        random: Random,
        recorder: Recording,
        fence: Callable[[], FenceToken | None] = _no_fence,
    ) -> None:
        self._recorder = recorder
        self.informers = Informers(bus, client, on_quarantine=self._tell_quarantined)
        """Run it beside `work`."""
        self._custom = CustomKinds(self.informers) if any(each.watches_custom for each in controllers) else None
        self._controllers = controllers
        self._clock = clock
        self._random = random
        self._executor = Executor(client, recorder, fence)
        for controller in controllers:
            for kind in _kinds_of(controller):
                self.informers.of(kind)
            for index in controller.indexes:
                self.informers.of(index.kind).cache.add_index(index.name, index.values)

    def _tell_quarantined(self, kind: Kind, obj: Object, reason: str) -> None:
        about = {**obj, "apiVersion": kind.api_version, "kind": kind.name}
        message = (
            f"What is stored of this object cannot be used, its last good state is kept until it changes: {reason}"
        )
        self._recorder.record(about, "CorruptObject", message, "Warning", "informer")

    async def work(self) -> None:
        """Look at every object once, then at what changes, until cancelled."""
        await self.informers.synced()
        async with asyncio.TaskGroup() as tasks:
            for controller in self._controllers:
                loop = ControllerLoop(
                    controller, self.informers, self._executor, self._clock, self._random, custom=self._custom
                )
                tasks.create_task(loop.run())


class ControllerLoop:
    """One controller at work."""

    def __init__(
        self,
        controller: Controller,
        informers: Informers,
        executor: Executor,
        clock: Clock,
        random: Random,
        *,
        custom: CustomKinds | None = None,
    ) -> None:
        self.controller = controller
        self.queue = WorkQueue(random)
        self.reconciles = 0
        """How often reconcile was called."""
        self._informers = informers
        self._custom = custom if controller.watches_custom is not None else None
        self._cache = informers.of(controller.reconciles).cache
        self._executor = executor
        self._clock = clock
        self._running = 0
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        with ExitStack() as listening:
            self._listen(listening)
            self._wake_all()
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._news.clear()
                    await self._take_turns(tasks)
                    await self._wait()

    def _wake_all(self) -> None:
        """Look at every object once, and at whatever the watches make of what is there.

        A predecessor may have been woken by it and not have lived to act.
        """
        for obj in self._cache:
            self.wake(self._key(obj), revision_of(obj))
        for watch in self.controller.watches:
            for obj in self._informers.of(watch.kind).cache:
                self._wake_watching(watch, obj)

    def _wake_watching(self, watch: Watch, obj: Object) -> None:
        """Wake what a watch makes of an object; one that it fails on wakes nothing."""
        try:
            keys = watch.wakes(obj, self._informers.view)
        except Exception:
            _log.exception("a watch of %s failed on %s %s", self.controller.name, watch.kind.name, name_of(obj))
            return
        for key in keys:
            self.wake(key, revision_of(obj))

    def _listen(self, listening: ExitStack) -> None:
        controller, of = self.controller, self._informers.of
        listening.callback(of(controller.reconciles).on_change(self._reconciled_changed))
        for kind in controller.owns:
            listening.callback(of(kind).on_change(self._owned_changed))
        for watch in controller.watches:
            listening.callback(of(watch.kind).on_change(partial(self.woken_by, watch)))
        for collection in {kind.collection: kind for kind in _kinds_of(controller)}.values():
            listening.callback(of(collection).on_progress(self._progressed))
        if self._custom is not None:
            listening.callback(self._custom.on_kind(partial(self._custom_came, listening)))

    def _custom_came(self, listening: ExitStack, informer: Informer) -> None:
        """Listen to a custom kind, and look at what is there of it already."""
        listening.callback(informer.on_progress(self._progressed))
        watches = self.controller.watches_custom(informer.kind) if self.controller.watches_custom else ()
        for watch in watches:
            listening.callback(informer.on_change(partial(self.woken_by, watch)))
            for obj in informer.cache:
                self._wake_watching(watch, obj)

    def wake(self, key: Key, cause: int | None) -> None:
        """Look at a key as soon as may be; of any collection that is cached, should a watch say so."""
        self.queue.wake(key, self._clock.monotonic(), cause)
        self._news.set()

    def woken_by(self, watch: Watch, changed: Changed) -> None:
        """Wake what a watch maps a change to, for the old and the new state."""
        view = self._informers.view
        keys = watch.wakes(changed.object, view)
        if changed.before is not None and (earlier := watch.wakes(changed.before, view)) != keys:
            keys = [*keys, *earlier]
        for key in keys:
            self.wake(key, changed.revision)

    def _reconciled_changed(self, changed: Changed) -> None:
        self.wake(changed.key, changed.revision)

    def _owned_changed(self, changed: Changed) -> None:
        key = self._owner_key(changed.object)
        if key is not None:
            self.wake(key, changed.revision)
        if changed.before is not None and (earlier := self._owner_key(changed.before)) not in (key, None):
            self.wake(earlier, changed.revision)

    def _owner_key(self, obj: Object) -> Key | None:
        owner, kind = controller_of(obj), self.controller.reconciles
        if owner is None or owner.get("kind") != kind.name:
            return None
        group, _, _ = str(owner.get("apiVersion", "")).rpartition("/")
        if group != kind.group:
            return None
        return Key(kind.collection, namespace_of(obj) if kind.namespaced else "", owner.get("name", ""))

    def _progressed(self, collection: str, revision: int) -> None:
        self.queue.progress(collection, revision)
        self._news.set()

    def _sees_all(self) -> bool:
        """Whether every custom kind is cached, for a controller to which it matters."""
        return self._custom is None or self._custom.are_synced

    async def _take_turns(self, tasks: asyncio.TaskGroup) -> None:
        turns = 0
        if not self._sees_all():
            return
        while self._running < self.controller.concurrency:
            taken = self.queue.take(self._clock.monotonic())
            if taken is None:
                return
            self._look_at(taken, tasks)
            turns += 1
            if turns % _TURN_KEYS == 0:
                await asyncio.sleep(0)

    def _look_at(self, taken: Taken, tasks: asyncio.TaskGroup) -> None:
        """Reconcile a key; what there is to do is done in a task of its own."""
        cache = self._informers.view.cache(taken.key.collection)
        obj = cache.at(taken.key) if cache is not None else None
        if obj is None:
            self.queue.done(taken.key)
            self.queue.forget(taken.key)
            return
        self.reconciles += 1
        try:
            plan = self.controller.reconcile(obj, self._informers.view, self._clock.now())
        except Exception:
            _log.exception("%s failed on %s", self.controller.name, taken.key)
            self.queue.failed(taken.key, self._clock.monotonic(), taken.cause)
            return
        if plan.actions:
            self._running += 1
            tasks.create_task(self._carry_out(taken, obj, plan))
        else:
            self._done(taken.key, plan)

    async def _carry_out(self, taken: Taken, obj: Object, plan: Plan) -> None:
        try:
            cause = taken.cause or revision_of(obj) or None  # a key that woke by itself has its object's own
            outcome = await self._executor.carry_out(self.controller.name, obj, plan, cause)
        except Exception:
            _log.exception("%s failed to carry out its plan for %s", self.controller.name, taken.key)
            self.queue.failed(taken.key, self._clock.monotonic(), taken.cause)
            return
        finally:
            self._running -= 1
            self._news.set()
        now = self._clock.monotonic()
        for collection, revision in outcome.written.items():
            cache = self._informers.view.cache(collection)
            if cache is not None and cache.revision < revision:
                self.queue.hold(taken.key, collection, revision, now)
        if outcome.failure:
            log = _log.info if outcome.quiet else _log.warning
            log("%s could not carry out its plan for %s: %s", self.controller.name, taken.key, outcome.failure)
            if outcome.forgotten:
                self.queue.done(taken.key)  # the next change wakes it
            else:
                self.queue.failed(taken.key, now, taken.cause)
        else:
            self._done(taken.key, plan)

    def _done(self, key: Key, plan: Plan) -> None:
        self.queue.done(key)
        if plan.again_after is not None:
            self.queue.wake(key, self._clock.monotonic() + plan.again_after.total_seconds())

    async def _wait(self) -> None:
        """Until there is news, or the next key is due and may be worked on."""
        due = self.queue.next_due() if self._running < self.controller.concurrency else None
        if due is not None and not self._sees_all():
            due = self._clock.monotonic() + _LOOK_SECONDS
        if due is None:
            await self._news.wait()
            return
        pause = due - self._clock.monotonic()
        if pause > 0 and not self._news.is_set():
            try:
                async with asyncio.timeout(pause):
                    await self._news.wait()
            except TimeoutError:
                return

    def _key(self, obj: Object) -> Key:
        return Key(self._cache.collection, namespace_of(obj), name_of(obj))


def _kinds_of(controller: Controller) -> tuple[Kind, ...]:
    watched = tuple(watch.kind for watch in controller.watches)
    return (controller.reconciles, *controller.owns, *watched, *controller.reads)
