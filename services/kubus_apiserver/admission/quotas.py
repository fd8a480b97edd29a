"""ResourceQuota: what a namespace may hold, exactly, however many ask at once at however many apiservers.

Before an object is written its usage is added to the quota's `status.used` by compare-and-swap, and the write
happens only if that fit; if the write is refused after all, the usage is taken back. What a deletion or an update sets
free is given back after it has happened. So `used` is never less than what is there: a crash between the two
leaves it too high, until the quota controller has counted again. For the same reason nothing is taken back when
nobody knows whether a write happened.

Requests of one server for one quota stand in line and see the last one's result; only other servers can get in
between, and whoever lost against them goes on from what they wrote.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from fractions import Fraction
from types import TracebackType
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from kubus.model.codec import Raw, pack
from kubus.model.errors import StatusError, conflict, unavailable
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object
from kubus.model.quota_usage import CHANGING, PODS, UNCOUNTED, concerns, unsaid, usage
from kubus.model.records import Note, encode_record, store_key
from kubus.model.resource_totals import Amounts, amounts, shown
from kubus.model.times import Clock, microseconds
from kubus.store import Conflict, Fenced, KeyExists, Store, StoreError
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.namespaced import Namespaced
from kubus_apiserver.reading.entries import Entry, without_revision
from kubus_apiserver.reading.reads import entry_of, read_fresh
from kubus_apiserver.reading.watchcache import WatchCache

COLLECTION = "resourcequotas.core"
_TRIES = 64
"""Each lost try is another server's success, so it would take that many to starve a request."""
_NOTHING: AbstractAsyncContextManager[None] = nullcontext()


class Quota(NamedTuple):
    """A quota, prepared."""

    key: Key
    spec: Object
    hard: dict[str, Any]
    """Of the status: what the controller has seen."""
    used: Amounts


class Charge(NamedTuple):
    """What a write takes of one quota; negative amounts are given back."""

    quota: Quota
    delta: Amounts


def prepared(entry: Entry) -> Quota:
    """The quota of a stored object."""
    obj = entry.object
    status = obj.get("status") or {}
    hard = status.get("hard") or (obj.get("spec") or {}).get("hard") or {}
    key = Key(COLLECTION, entry.namespace, entry.name)
    return Quota(key, obj.get("spec") or {}, hard, amounts(status.get("used")))


class Quotas:
    """Charges quotas for writes."""

    def __init__(self, store: Store, cache: WatchCache, clock: Clock) -> None:
        self._store = store
        self._cache = cache
        self._clock = clock
        self._quotas: Namespaced[Quota] = Namespaced(COLLECTION, prepared)
        self._lines: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._written: dict[Key, Entry] = {}

    def check(self, proposal: Proposal) -> None:
        """Refuse what quotas have no room for, charging nothing.

        Raises:
            StatusError: 403.
        """
        for charge in self._charges(proposal):
            check_room(charge.quota, charge.delta, proposal)

    def charged(self, proposal: Proposal) -> AbstractAsyncContextManager[None]:
        """A context in which the write happens: charged before, given back as far as it does not happen.

        Raises:
            StatusError: 403, a quota has no room; 5xx of the store.
        """
        charges = self._charges(proposal)
        return _Charged(self, charges, proposal) if charges else _NOTHING

    async def release(self, kind: Kind, obj: Object) -> None:
        """Give back what a deleted object had taken."""
        namespace = obj["metadata"].get("namespace") or ""
        if kind.collection in UNCOUNTED or not namespace:
            return
        for quota in self._quotas.of(self._cache, namespace):
            delta = _delta(quota, kind.collection, None, obj, self._clock.now())
            if delta:
                await self.give_back(quota.key, delta)

    def _charges(self, proposal: Proposal) -> list[Charge]:
        collection, old = proposal.kind.collection, proposal.old
        if not proposal.kind.namespaced or collection in UNCOUNTED or proposal.verb == "delete":
            return []
        if old is not None and collection not in CHANGING:
            return []
        charges, now = [], self._clock.now()
        for quota in self._quotas.of(self._cache, proposal.namespace):
            if old is None and concerns(quota.spec, collection, proposal.object):
                _check_said(quota, proposal, now)
            delta = _delta(quota, collection, proposal.object, old, now)
            if delta:
                charges.append(Charge(quota, delta))
        return charges

    async def take(self, charge: Charge, proposal: Proposal) -> None:
        """Add to what is used.

        Raises:
            StatusError: 403, there is no room; 5xx of the store.
        """
        await self._change(charge.quota.key, charge.delta, proposal)

    async def give_back(self, key: Key, delta: Amounts) -> None:
        """Take from what is used (amounts are negative); what fails here the controller finds."""
        try:
            await self._change(key, delta, None)
        except (StatusError, StoreError):
            return

    async def _change(self, key: Key, delta: Amounts, proposal: Proposal | None) -> None:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = asyncio.Lock()
        async with line:
            entry, fresh = self._newest(key), False
            for _ in range(_TRIES):
                if entry is None:
                    return  # the quota has gone
                if proposal is not None:
                    try:
                        check_room(prepared(entry), delta, proposal)
                    except StatusError:
                        if fresh:
                            raise
                        entry, fresh = await read_fresh(self._store, key), True
                        continue
                try:
                    self._written[key] = await self._replace(key, entry, delta)
                    return
                except Conflict as lost:
                    entry, fresh = (entry_of(lost.current) if lost.current else None), True
                except StoreError as error:
                    raise unavailable(f"the store did not answer: {error}") from None
        raise conflict("resourcequotas", "", key.name)

    def _newest(self, key: Key) -> Entry | None:
        """The quota as this server last wrote it, unless the cache is further."""
        cached, written = self._cache.get(key), self._written.get(key)
        if written is not None and (cached is None or written.revision > cached.revision):
            return written
        self._written.pop(key, None)
        return cached

    async def _replace(self, key: Key, entry: Entry, delta: Amounts) -> Entry:
        obj = without_revision(entry.object)
        status = obj.get("status") or {}
        used, before = dict(status.get("used") or {}), prepared(entry).used
        for name, amount in delta.items():
            used[name] = shown(name, max(Fraction(0), before.get(name, Fraction(0)) + amount))
        raw = Raw(pack({**obj, "status": {**status, "used": used}}))
        note = Note("system:apiserver", "kube-apiserver", "update", microseconds(self._clock.now()))
        revision = await self._store.replace(store_key(key), encode_record(note, raw), expected=entry.revision)
        return Entry(key.namespace, key.name, revision, raw)


class _Charged:
    """The context of one write."""

    def __init__(self, quotas: Quotas, charges: list[Charge], proposal: Proposal) -> None:
        self._quotas = quotas
        self._charges = charges
        self._proposal = proposal
        self._taken: list[tuple[Key, Amounts]] = []

    async def __aenter__(self) -> None:
        try:
            for charge in self._charges:
                more = {name: amount for name, amount in charge.delta.items() if amount > 0}
                if more:
                    await self._quotas.take(charge._replace(delta=more), self._proposal)
                    self._taken.append((charge.quota.key, more))
        except StatusError:
            await self._undo()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is None:
            for charge in self._charges:
                less = {name: amount for name, amount in charge.delta.items() if amount < 0}
                if less:
                    await self._quotas.give_back(charge.quota.key, less)
        elif _did_not_happen(error):
            await self._undo()

    async def _undo(self) -> None:
        for key, more in self._taken:
            await self._quotas.give_back(key, {name: -amount for name, amount in more.items()})


def _did_not_happen(error: BaseException) -> bool:
    if isinstance(error, StatusError):
        return error.code != 504
    return isinstance(error, Conflict | KeyExists | Fenced)


def _delta(quota: Quota, collection: str, obj: Object | None, old: Object | None, now: datetime) -> Amounts:
    total: Amounts = {}
    for each, sign in ((obj, 1), (old, -1)):
        if each is None or not concerns(quota.spec, collection, each):
            continue
        for name, amount in usage(collection, each, now).items():
            if name in quota.hard:
                total[name] = total.get(name, Fraction(0)) + sign * amount
    return {name: amount for name, amount in total.items() if amount}


def _check_said(quota: Quota, proposal: Proposal, now: datetime) -> None:
    """Refuse where a quota could not be applied: the pod does not say, or nobody has counted yet."""
    collection = proposal.kind.collection
    if collection == PODS:
        missing = unsaid(quota.hard, proposal.object)
        if missing:
            words = "; ".join(f"{name} for: {','.join(containers)}" for name, containers in missing.items())
            raise proposal.refused(f"failed quota: {quota.key.name}: must specify {words}")
    unknown = sorted(
        name for name in usage(collection, proposal.object, now) if name in quota.hard and name not in quota.used
    )
    if unknown:
        raise proposal.refused(f"status unknown for quota: {quota.key.name}, resources: {','.join(unknown)}")


def check_room(quota: Quota, delta: Amounts, proposal: Proposal) -> None:
    """Refuse what would exceed a quota.

    Raises:
        StatusError: 403 with the numbers.
    """
    hard = amounts(quota.hard)
    zero = Fraction(0)
    over = sorted(
        name
        for name, more in delta.items()
        if more > 0 and name in hard and quota.used.get(name, zero) + more > hard[name]
    )
    if over:
        requested = ",".join(f"{name}={shown(name, delta[name])}" for name in over)
        used = ",".join(f"{name}={shown(name, quota.used.get(name, zero))}" for name in over)
        limited = ",".join(f"{name}={shown(name, hard[name])}" for name in over)
        text = f"exceeded quota: {quota.key.name}, requested: {requested}, used: {used}, limited: {limited}"
        raise proposal.refused(text)
