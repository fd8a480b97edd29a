"""Custom resources as they come and go: definitions in the cache become kinds in the registry.

    a definition changes     its names are judged and the status written       (`CustomResources.run`)
    it is established        its kinds are served from here on, no restart     (`CustomResources.refresh`)
    it is deleted            its objects first, then its finalizer, and with it the definition; then nothing is served
    it makes no sense        (somebody wrote it past the apiserver) it is left out, and nothing else

Every apiserver follows the definitions in its own cache, so all serve the same kinds as soon as each has seen the
change. All of them also do the writing: a second one finds that nothing is left to be changed.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from kubus.model.custom.acceptance import CLEANUP, judged, terminating
from kubus.model.custom.definitions import is_established, kinds_of
from kubus.model.errors import StatusError
from kubus.model.kinds import Kind, Registry
from kubus.model.kinds.customresourcedefinitions import KIND as DEFINITIONS
from kubus.model.objects import Object, is_deleting, metadata, name_of, path_of
from kubus.model.times import Clock, rfc3339
from kubus.store import StoreError
from kubus_apiserver.calls import AUTHENTICATED, MASTERS, Target, User, WriteOptions
from kubus_apiserver.reading.follower import Freshness
from kubus_apiserver.reading.watchcache import Changed, WatchCache
from kubus_apiserver.reading.watchstreams import Watches
from kubus_apiserver.writing.writes import Change, Writes

_SELF = User("system:apiserver", (MASTERS, AUTHENTICATED))
_OPTIONS = WriteOptions(manager="kube-apiserver")
_PAUSE_SECONDS = 0.5
"""Until what could not be done, or waits for finalizers, is looked at again."""
_SHAPING = 3
"""How many of the facts below change what a watch would show."""
_log = logging.getLogger(__name__)


class CustomResources:
    """Serves the kinds of all definitions in a cache."""

    def __init__(
        self,
        registry: Registry,
        cache: WatchCache,
        freshness: Freshness,
        writes: Writes,
        watches: Watches,
        *,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._cache = cache
        self._freshness = freshness
        self._writes = writes
        self._watches = watches
        self._clock = clock
        self._served: dict[str, tuple[Any, list[Kind]]] = {}
        self._due: set[str] = set()
        self._left_out: set[str] = set()
        """Definitions from which no kinds can be made: no validation has ever seen them."""
        self._news = asyncio.Event()
        cache.collection(DEFINITIONS.collection).listeners.add(self._changed)

    async def run(self) -> None:
        """Bring definitions to where they want to be, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            due, self._due = self._due, set()
            again = [name for name in sorted(due) if not await self._settled(name)]
            if again:
                self._due.update(again)
                try:
                    async with asyncio.timeout(_PAUSE_SECONDS):
                        await self._news.wait()
                except TimeoutError:
                    self._news.set()

    def refresh(self, name: str) -> None:
        """Serve what a definition says now, or nothing if it is gone."""
        definition = self._definition(name)
        facts = None if definition is None or not is_established(definition) else _facts(definition)
        before, kinds = self._served.get(name, (None, []))
        if facts == before:
            return
        for kind in kinds:
            self._registry.remove(kind)
            if facts is None or facts[:_SHAPING] != before[:_SHAPING]:
                self._watches.end(kind.collection)
        if facts is None or definition is None:
            self._served.pop(name, None)
            return
        made = [kind for kind in kinds_of(definition) if not self._is_built_in(kind)]
        self._served[name] = (facts, made)
        for kind in made:
            self._registry.add(kind)

    def _is_built_in(self, kind: Kind) -> bool:
        present = self._registry.resource(kind.group, kind.version, kind.plural)
        return present is not None and present.custom is None

    def _definition(self, name: str) -> Object | None:
        if name in self._left_out:
            return None
        entry = self._cache.collection(DEFINITIONS.collection).entries.get(("", name))
        return None if entry is None else entry.object

    def _changed(self, batch: list[Changed]) -> None:
        collection = self._cache.collection(DEFINITIONS.collection)
        if batch:
            names = {entry.name for changed in batch if (entry := changed.entry or changed.before) is not None}
        else:  # the cache was filled anew
            collection.listeners.add(self._changed)
            names = {*self._served, *(name for _, name in collection.entries)}
        for name in names:
            self._examine(name)
        self._due |= names
        self._news.set()

    def _examine(self, name: str) -> None:
        """Serve a definition, or leave it out while it cannot be understood."""
        self._left_out.discard(name)
        try:
            definition = self._definition(name)
            if definition is not None:
                judged(definition, [definition], rfc3339(self._clock.now()))
                wrong = [kind.collection for kind in kinds_of(definition) if f"{kind.plural}.{kind.group}" != name]
                if wrong:
                    raise ValueError(f"it defines {wrong[0]}")
            self.refresh(name)
        except Exception:
            _log.exception("definition %s cannot be understood; nothing is served of it", name)
            self._left_out.add(name)
            self.refresh(name)

    def _definitions(self) -> list[Object]:
        entries = self._cache.collection(DEFINITIONS.collection).select()
        return [entry.object for entry in entries if entry.name not in self._left_out]

    async def _settled(self, name: str) -> bool:
        """Whether nothing is left to do for a definition."""
        definition = self._definition(name)
        if definition is None:
            return True
        try:
            if is_deleting(definition):
                return await self._cleaned(definition)
            status = self._judged(definition)
            if status != definition.get("status"):
                await self._write(name, lambda old: {**old, "status": self._judged(old)}, "status")
                self._due |= self._rivals(definition)
        except (StatusError, StoreError) as error:
            _log.info("definition %s is not settled yet: %s", name, error)
            return False
        return True

    def _judged(self, definition: Object) -> Object:
        return judged(definition, self._definitions(), rfc3339(self._clock.now()))

    def _rivals(self, definition: Object) -> set[str]:
        """Other definitions of the group that are not served: a name they wait for may have become free."""
        group = definition["spec"]["group"]
        return {
            name_of(each) for each in self._definitions() if each["spec"]["group"] == group and not is_established(each)
        } - {name_of(definition)}

    async def _cleaned(self, definition: Object) -> bool:
        """Delete the objects of a definition; whether it is released."""
        name, finalizers = name_of(definition), metadata(definition).get("finalizers") or []
        if CLEANUP not in finalizers:
            return True
        await self._freshness.consistent()
        kinds = kinds_of(definition)
        entries = self._cache.collection(f"{name}").select()
        if kinds and entries:
            await self._say(name, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
            for entry in entries:
                try:
                    await self._writes.delete(Target(kinds[0], entry.namespace, entry.name), {}, _SELF, _OPTIONS)
                except StatusError as error:
                    if error.code != 404:
                        raise
            await self._freshness.consistent()
            if self._cache.collection(name).entries:
                return False
        await self._write(name, _released)
        self._due |= self._rivals(definition)
        return True

    async def _say(self, name: str, reason: str, message: str) -> None:
        now = rfc3339(self._clock.now())
        await self._write(name, lambda old: {**old, "status": terminating(old, reason, message, now)}, "status")

    async def _write(self, name: str, change: Change, subresource: str = "") -> None:
        try:
            await self._writes.update(Target(DEFINITIONS, "", name, subresource), change, _SELF, _OPTIONS)
        except StatusError as error:
            if error.code != 404:
                raise


def _released(old: Object) -> Object:
    finalizers = [each for each in metadata(old).get("finalizers") or () if each != CLEANUP]
    return {**old, "metadata": {**metadata(old), "finalizers": finalizers}}


def _facts(definition: Object) -> Any:
    """What of a definition its kinds follow from."""
    meta = metadata(definition)
    return (
        meta.get("uid"),
        definition["spec"],
        path_of(definition, "status", "acceptedNames"),
        path_of(definition, "status", "storedVersions"),
        is_deleting(definition),
    )
