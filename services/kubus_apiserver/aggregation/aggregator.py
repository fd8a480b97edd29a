"""The aggregator: everything about APIServices that has to be done again and again.

    what is served here       has an APIService, available by itself         (kube-aggregator's autoregister)
    an extension apiserver    is asked whether it is there, at news of its Service and every half minute
    the ConfigMap             extension-apiserver-authentication says how to know this apiserver

Everything is read from the cache, and nothing is written that stands there already; so any number of apiservers do this
side by side.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial

from kubus.model.errors import StatusError
from kubus.model.kinds.apiservices import KIND as APISERVICES
from kubus.model.kinds.configmaps import KIND as CONFIG_MAPS
from kubus.model.objects import Key, Object, labels_of, path_of
from kubus.model.times import rfc3339
from kubus.store import StoreError
from kubus_apiserver.aggregation import trusted
from kubus_apiserver.aggregation.availability import LOCAL, Verdict, unreachable, with_verdict
from kubus_apiserver.aggregation.extensions import Asker, Extension
from kubus_apiserver.aggregation.local import corrected, differences, local_services
from kubus_apiserver.aggregation.routing import Routing
from kubus_apiserver.bootstrap import OPTIONS, SELF
from kubus_apiserver.calls import Target
from kubus_apiserver.core import Core
from kubus_apiserver.forwarding.endpoints import SERVICES, SLICES
from kubus_apiserver.reading.watchcache import Changed
from kubus_apiserver.writing.writes import Change

_PROBE_SECONDS = 30.0
_RETRY_SECONDS = 2.0
"""After which those that are not available are asked again, and what could not be written is."""
_log = logging.getLogger(__name__)
_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


class Aggregator:
    """Keeps APIServices in order. `run` it once the cache is loaded."""

    def __init__(self, core: Core, routing: Routing, data: dict[str, str]) -> None:
        self._core = core
        self._routing = routing
        self._asker = Asker(core.clients, routing.front_proxy)
        self._data = data
        self._news = asyncio.Event()
        self._due = asyncio.Event()

    async def run(self) -> None:
        """Go on for ever."""
        self._listen(APISERVICES.collection, self._apiservices_changed)
        self._listen(CONFIG_MAPS.collection, self._config_maps_changed)
        self._listen(_DEFINITIONS, self._definitions_changed)
        self._listen(SERVICES, self._services_changed)
        self._listen(SLICES, self._slices_changed)
        self._apiservices_changed([])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep())
            tasks.create_task(self._probe())

    async def _keep(self) -> None:
        """What is served here, and the ConfigMap."""
        while True:
            self._news.clear()
            await _waited(self._news, _PROBE_SECONDS if await self._kept() else _RETRY_SECONDS)

    async def _kept(self) -> bool:
        """Whether all stands as it should."""
        try:
            await self._register()
            await self._tell()
        except (StatusError, StoreError) as error:
            _log.info("APIServices are not in order yet: %s", error)
            return False
        return True

    async def _register(self) -> None:
        wanted, there = local_services(self._core.registry), self._there()
        missing, wrong, stale = differences(wanted, there)
        kind = Target(APISERVICES)
        for name in missing:
            await _unless(409, self._core.writes.create(kind, wanted[name], SELF, OPTIONS))
        for name in wrong:
            await self._update(name, partial(corrected, wanted[name]))
        for name in stale:
            await _unless(404, self._core.writes.delete(kind._replace(name=name), {}, SELF, OPTIONS))
        for name, each in self._there().items():
            if not each["spec"].get("service"):
                await self._say(name, each, LOCAL)

    async def _tell(self) -> None:
        if not self._data:
            return
        target = Target(CONFIG_MAPS, trusted.NAMESPACE, trusted.NAME)
        entry = self._core.cache.get(target.key)
        if entry is None:
            made = trusted.config_map(trusted.merged(self._data, {}))
            await _unless(409, self._core.writes.create(target._replace(name=""), made, SELF, OPTIONS))
        elif (entry.object.get("data") or {}) != trusted.merged(self._data, entry.object.get("data") or {}):
            change = _with_data(self._data)
            await _unless(404, self._core.writes.update(target, change, SELF, OPTIONS))

    async def _probe(self) -> None:
        """Ask extension apiservers, all at once."""
        while True:
            self._due.clear()
            extensions = dict(self._routing.extensions)
            async with asyncio.TaskGroup() as tasks:
                asked = [tasks.create_task(self._probed(name, each)) for name, each in extensions.items()]
            well = all(each.result() for each in asked)
            await _waited(self._due, _PROBE_SECONDS if well else _RETRY_SECONDS)

    async def _probed(self, name: str, extension: Extension) -> bool:
        """Whether an extension apiserver is available and known to be."""
        asked = extension.apiservice["spec"]
        verdict = await self._judged(extension)
        there = self._there().get(name)
        if there is None or there["spec"] != asked:
            return False
        try:
            await self._say(name, there, verdict)
        except (StatusError, StoreError) as error:
            _log.info("the status of APIService %s is not written yet: %s", name, error)
            return False
        return verdict.status == "True"

    async def _judged(self, extension: Extension) -> Verdict:
        reference = extension.apiservice["spec"]["service"]
        namespace, name = reference.get("namespace") or "", reference.get("name") or ""
        entry = self._core.cache.get(Key(SERVICES, namespace, name))
        slices = self._core.endpoints.slices(namespace, name)
        known = unreachable(extension.apiservice, None if entry is None else entry.object, slices)
        return known or await self._asker.ask(extension)

    async def _say(self, name: str, apiservice: Object, verdict: Verdict) -> None:
        now = rfc3339(self._core.clock.now())
        if with_verdict(apiservice, verdict, now) is not apiservice:
            await self._update(name, lambda old: with_verdict(old, verdict, now), "status")

    async def _update(self, name: str, change: Change, subresource: str = "") -> None:
        await _unless(404, self._core.writes.update(Target(APISERVICES, "", name, subresource), change, SELF, OPTIONS))

    def _there(self) -> dict[str, Object]:
        return {entry.name: entry.object for entry in self._core.cache.collection(APISERVICES.collection).select()}

    def _listen(self, collection: str, listener: Callable[[list[Changed]], None]) -> None:
        def heard(batch: list[Changed]) -> None:
            if not batch:  # the cache was filled anew
                self._core.cache.collection(collection).listeners.add(heard)
            listener(batch)

        self._core.cache.collection(collection).listeners.add(heard)

    def _apiservices_changed(self, batch: list[Changed]) -> None:
        there = self._there()
        names = {*there, *self._routing.extensions} if not batch else _names(batch)
        for name in names:
            if self._routing.put(name, there.get(name)):
                self._due.set()
        self._news.set()

    def _definitions_changed(self, _batch: list[Changed]) -> None:
        self._news.set()

    def _config_maps_changed(self, batch: list[Changed]) -> None:
        if not batch or trusted.NAME in _names(batch):
            self._news.set()

    def _services_changed(self, batch: list[Changed]) -> None:
        if self._routing.extensions and (not batch or _names(batch) & self._services()):
            self._due.set()

    def _slices_changed(self, batch: list[Changed]) -> None:
        if not self._routing.extensions:
            return
        entries = [each.entry or each.before for each in batch]
        owners = {labels_of(each.object).get("kubernetes.io/service-name", "") for each in entries if each is not None}
        if not batch or owners & self._services():
            self._due.set()

    def _services(self) -> set[str]:
        """The names of Services that extension apiservers are behind."""
        extensions = self._routing.extensions.values()
        return {path_of(each.apiservice, "spec", "service", "name", default="") for each in extensions}


async def _waited(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _unless(code: int, doing: Awaitable[object]) -> None:
    """Do something that need not be done where it is refused with a code: another apiserver was faster."""
    try:
        await doing
    except StatusError as error:
        if error.code != code:
            raise


def _with_data(wanted: dict[str, str]) -> Change:
    return lambda old: {**old, "data": trusted.merged(wanted, old.get("data") or {})}


def _names(batch: Iterable[Changed]) -> set[str]:
    return {entry.name for each in batch if (entry := each.entry or each.before) is not None}
