"""Creates, updates and deletes: the road from a client's object to one transaction.

Each write is decided here, on one state of the object; which state that is, and what happens when another writer was
faster, is `kubus_apiserver.writing.races`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, NamedTuple

from kubus.model.codec import DecodeError, Raw, pack, unpack
from kubus.model.errors import (
    StatusError,
    already_exists,
    bad_request,
    conflict,
    internal,
    invalid,
    invalid_object,
    not_found,
    too_large,
)
from kubus.model.kinds import Kind
from kubus.model.names import random_suffix, random_uid
from kubus.model.objects import Key, Object
from kubus.model.records import Note, encode_record, note_key, store_key
from kubus.model.times import Clock, microseconds
from kubus.model.unsupported import unsupported_uses
from kubus.store import Conflict, Fence, Fenced, KeyExists, Store
from kubus_apiserver.admission import Proposal, said
from kubus_apiserver.admission.gate import Gate
from kubus_apiserver.calls import Target, User, WriteOptions
from kubus_apiserver.conversions import Conversions
from kubus_apiserver.reading.entries import Entry, written
from kubus_apiserver.reading.follower import Freshness
from kubus_apiserver.reading.reads import entry_of
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.writing import deletion, strategy
from kubus_apiserver.writing.allocations import Allocations
from kubus_apiserver.writing.fences import fence_of, lost
from kubus_apiserver.writing.fieldmanagers import Applier, FieldManagers, keep_times, set_entries
from kubus_apiserver.writing.namespaces import check_namespace
from kubus_apiserver.writing.outcomes import told
from kubus_apiserver.writing.races import TRIES, Stale, on_newest

OBJECT_BYTES_MAX = 1_572_864
"""etcd takes 1.5 MiB in a request."""
Change = Callable[[Object], Object]
"""From a private copy of the stored object, with its resourceVersion, to the wanted one."""
Managing = Callable[[Object, Object, Any], None]
"""Gives the wanted object its managedFields, knowing the stored object and what the client sent as such."""


class Deleted(NamedTuple):
    """What a delete did."""

    entry: Entry
    """The object's last, or present, state."""
    removed: bool
    """Whether it is gone; otherwise it waits for its grace period or finalizers."""


class Writes:
    """Everything that writes objects."""

    def __init__(
        self,
        store: Store,
        cache: WatchCache,
        freshness: Freshness,
        *,
        gate: Gate,
        allocations: Allocations,
        fields: FieldManagers,
        conversions: Conversions,
        clock: Clock,
        random: Random,
    ) -> None:
        self._store = store
        self._cache = cache
        self._freshness = freshness
        self._gate = gate
        self._allocations = allocations
        self._fields = fields
        self._conversions = conversions
        self._clock = clock
        self._random = random

    async def create(
        self, target: Target, obj: Object, user: User, options: WriteOptions, *, applied: bool = False
    ) -> Entry:
        """Store a new object. `obj` is changed; if it comes of an apply, it says who manages it.

        Raises:
            StatusError: 400, 403, 404 (namespace), 409, 422, 5xx of the store.
        """
        kind, namespace = target.kind, target.namespace
        if kind.custom is not None and kind.custom.terminating:
            detail = "create not allowed while custom resource definition is terminating"
            raise StatusError(405, "MethodNotAllowed", detail)
        strategy.check_identity(kind, obj, namespace)
        if obj["metadata"].get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        generated = not obj["metadata"].get("name")
        if kind.namespaced:
            await check_namespace(self._store, self._cache, kind, namespace, obj["metadata"].get("name") or "")
        for attempt in range(TRIES):
            if generated and attempt:
                obj["metadata"].pop("name", None)
            try:
                return await self._create(kind, obj, user, options, applied=applied)
            except StatusError as error:
                if not (generated and error.reason == "AlreadyExists") or attempt == TRIES - 1:
                    raise
        raise internal("unreachable")

    async def _create(self, kind: Kind, obj: Object, user: User, options: WriteOptions, *, applied: bool) -> Entry:
        uid = random_uid(self._random)
        _warn_of_unsupported(kind, obj, None, options)
        managed = obj["metadata"].get("managedFields") if applied else None
        strategy.clear_new(kind, obj)
        if kind.defaults is not None:
            kind.defaults(obj)
        if managed:
            obj["metadata"]["managedFields"] = managed
        else:
            self._fields.created(kind, obj, options.manager)
        proposal = Proposal(user, "create", kind, "", obj, None, **said(options), uid=uid)
        proposal = await self._gate.mutated(proposal)
        obj = proposal.object
        strategy.stamp_new(obj, uid=uid, now=self._clock.now(), suffix=lambda: random_suffix(self._random))
        if kind.prepare is not None:
            kind.prepare(obj, None)
        strategy.check(kind, obj, None)
        await self._gate.validated(proposal)
        key = Key(kind.collection, obj["metadata"].get("namespace") or "", obj["metadata"]["name"])
        stored = await self._conversions.stored(kind, obj)
        if options.dry_run:
            await self._freshness.consistent()
            if self._cache.get(key) is not None:
                raise already_exists(kind.plural, kind.group, key.name)
            await self._allocations.previewed(kind, stored, None)
            return await self._shown(kind, written(key, 0, stored, Raw(pack(stored))))
        async with self._gate.charged(proposal), self._allocations.assigned(kind, stored, None):
            raw = self._encoded(kind, stored)
            value = encode_record(self._note(user, "create", options), raw)
            try:
                revision = await self._fenced(
                    options,
                    lambda fence: self._store.create(store_key(key), value, fence=fence, ttl_seconds=kind.ttl_seconds),
                )
            except KeyExists:
                raise already_exists(kind.plural, kind.group, key.name) from None
        return await self._shown(kind, written(key, revision, stored, raw))

    async def update(
        self,
        target: Target,
        change: Change,
        user: User,
        options: WriteOptions,
        *,
        verb: str = "update",
        revision: str = "",
        tracked_as: str | None = None,
    ) -> Entry:
        """Change an object; with `revision`, only if it still stands at that one.

        `tracked_as` is the subresource that managedFields and admission name, where it is not the target's.

        Raises:
            StatusError: 400, 403, 404, 409, 422, 5xx of the store.
        """
        named = target.subresource if tracked_as is None else tracked_as
        managing = self._managing(target, change, options, named)

        async def attempt(current: Entry, fresh: bool) -> Entry:
            return await self._update(
                target, current, change, user, options, verb=verb, fresh=fresh, managing=managing, named=named
            )

        return await on_newest(self._store, self._cache, target, attempt, revision=revision)

    async def _update(
        self,
        target: Target,
        current: Entry,
        change: Change,
        user: User,
        options: WriteOptions,
        *,
        verb: str,
        fresh: bool,
        managing: Managing,
        named: str,
    ) -> Entry:
        kind, key, subresource = target.kind, target.key, target.subresource
        await self._conversions.ready(kind, [current])
        old = _readable(current, kind)
        obj = change(unpack(pack(old)))
        strategy.check_identity(kind, obj, key.namespace, key.name)
        given = obj["metadata"].get("managedFields")
        obj = strategy.carry_over(kind, obj, old, subresource=subresource, built_in=kind.custom is None)
        if not subresource:
            _warn_of_unsupported(kind, obj, old, options)
        by_schema = kind.custom is not None and subresource == "status"
        if (not subresource or by_schema) and kind.defaults is not None:
            kind.defaults(obj)
        managing(obj, old, given)
        proposal = Proposal(user, "update", kind, named, obj, old, **said(options))
        proposal = await self._gate.mutated(proposal)
        obj = proposal.object
        if not subresource and kind.prepare is not None:
            kind.prepare(obj, old)
        if subresource != "status":
            strategy.count_generation(kind, obj, old)
        keep_times(obj, old)
        if strategy.same(obj, old):
            if not fresh:
                raise Stale
            await self._gate.validated(proposal)
            return current.viewed(kind)
        if not subresource or by_schema:
            strategy.check(kind, obj, old)
        elif subresource in ("status", "approval"):
            strategy.check_status(kind, obj, old)
        await self._gate.validated(proposal)
        stored = await self._conversions.stored(kind, obj)
        if options.dry_run:
            await self._allocations.previewed(kind, stored, current.object)
            return await self._shown(kind, written(key, current.revision, stored, Raw(pack(stored))))
        if deletion.is_released(kind, obj):
            await self._remove(kind, current, user, verb, options)
            return await self._shown(kind, written(key, current.revision, stored, Raw(pack(stored))))
        async with self._gate.charged(proposal), self._allocations.assigned(kind, stored, current.object):
            raw = self._encoded(kind, stored)
            value = encode_record(self._note(user, verb, options), raw)
            revision = await self._fenced(
                options,
                lambda fence: self._replace(kind, key, value, current, fence),
            )
        return await self._shown(kind, written(key, revision, stored, raw))

    async def _replace(self, kind: Kind, key: Key, value: bytes, current: Entry, fence: Fence | None) -> int:
        return await self._store.replace(
            store_key(key), value, expected=current.revision, fence=fence, ttl_seconds=kind.ttl_seconds
        )

    def _managing(self, target: Target, change: Change, options: WriteOptions, subresource: str) -> Managing:
        """How an update gets its managedFields; those of an apply come with its object."""

        def managing(obj: Object, old: Object, given: Any) -> None:
            if isinstance(change, Applier):
                set_entries(obj, given)
            else:
                self._fields.updated(target.kind, obj, old, given, subresource=subresource, manager=options.manager)

        return managing

    async def delete(self, target: Target, options: Object, user: User, write: WriteOptions) -> Deleted:
        """Delete an object, or begin to.

        Raises:
            StatusError: 400, 403, 404, 409, 422, 5xx of the store.
        """
        deletion.check_options(options)
        if target.kind.orphans_warning and not deletion.names_policy(options):
            write.warn(target.kind.orphans_warning)
        if options.get(deletion.UNSAFE):
            return await self._delete_corrupt(target, user, write)

        async def attempt(current: Entry, fresh: bool) -> Deleted:
            return await self._delete(target, current, options, user, write, fresh=fresh)

        return await on_newest(self._store, self._cache, target, attempt)

    async def _delete_corrupt(self, target: Target, user: User, write: WriteOptions) -> Deleted:
        """Remove an object that cannot be read, whatever its finalizers were, and only such a one.

        Raises:
            StatusError: 404, 409, 422 it can be read.
        """
        kind, key = target.kind, target.key
        stored = await self._store.get(store_key(key))
        if stored is None:
            raise not_found(kind.plural, kind.group, target.name)
        if entry_of(stored) is not None:
            detail = "is exclusively used to delete corrupt object(s), try again by removing this option"
            raise invalid_object(kind.name, kind.group, key.name, [invalid(deletion.UNSAFE, True, detail)])
        metadata = {"name": key.name, "namespace": key.namespace} if key.namespace else {"name": key.name}
        nameplate = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
        note = (note_key(f"corrupt-{stored.revision}"), pack(self._note(user, "delete", write).to_wire()))
        try:
            revision = await self._fenced(
                write,
                lambda fence: self._store.delete(store_key(key), expected=stored.revision, note=note, fence=fence),
            )
        except Conflict:
            raise conflict(kind.plural, kind.group, target.name) from None
        return Deleted(written(key, revision, nameplate, Raw(pack(nameplate))), removed=True)

    async def _delete(
        self, target: Target, current: Entry, options: Object, user: User, write: WriteOptions, *, fresh: bool
    ) -> Deleted:
        kind, key, obj = target.kind, target.key, current.object
        deletion.check_preconditions(kind, obj, options)
        proposal = Proposal(user, "delete", kind, "", obj, obj, **said(write))._replace(options=options)
        await self._gate.validated(await self._gate.mutated(proposal))
        verdict = deletion.decide(kind, obj, options, self._clock.now())
        if isinstance(verdict, deletion.Keep):
            if not fresh:
                raise Stale
            return await self._deleted(kind, current, removed=False)
        if isinstance(verdict, deletion.Mark):
            if write.dry_run:
                return await self._deleted(kind, current, removed=False)
            raw = self._encoded(kind, verdict.object)
            value = encode_record(self._note(user, "delete", write), raw)
            revision = await self._fenced(write, lambda fence: self._replace(kind, key, value, current, fence))
            return await self._deleted(kind, written(key, revision, verdict.object, raw), removed=False)
        if write.dry_run:
            return await self._deleted(kind, current, removed=True)
        revision = await self._remove(kind, current, user, "delete", write)
        return await self._deleted(kind, current.moved_to(revision), removed=True)

    async def _shown(self, kind: Kind, entry: Entry) -> Entry:
        await self._conversions.ready(kind, [entry])
        return entry.viewed(kind)

    async def _deleted(self, kind: Kind, entry: Entry, *, removed: bool) -> Deleted:
        """What a delete did; as it is stored, where nobody can convert it."""
        try:
            return Deleted(await self._shown(kind, entry), removed)
        except StatusError:
            return Deleted(entry, removed)

    async def _remove(self, kind: Kind, current: Entry, user: User, verb: str, options: WriteOptions) -> int:
        key = Key(kind.collection, current.namespace, current.name)
        note = (note_key(current.object["metadata"]["uid"]), pack(self._note(user, verb, options).to_wire()))
        revision = await self._fenced(
            options,
            lambda fence: self._store.delete(store_key(key), expected=current.revision, note=note, fence=fence),
        )
        await self._allocations.release(kind, current.object)
        await self._gate.released(kind, current.object)
        return revision

    async def _fenced(self, options: WriteOptions, write: Callable[[Fence | None], Awaitable[int]]) -> int:
        """The revision of a write, done while its leader leads.

        A renewal of the lease moves its revision without changing who leads, so a fence that fails is looked up
        again, in a cache that has caught up.
        """
        if options.fence is None:
            return await told(write(None))
        for _ in range(TRIES):
            fence = fence_of(self._cache, options.fence)
            if fence is None:
                await self._freshness.consistent()
                fence = fence_of(self._cache, options.fence)
            if fence is None:
                raise lost(options.fence)
            try:
                return await told(write(fence))
            except Fenced:
                await self._freshness.consistent()
        raise lost(options.fence)

    def _note(self, user: User, verb: str, options: WriteOptions) -> Note:
        at = microseconds(self._clock.now())
        return Note(user.name, options.manager, verb, at, options.cause, options.trace)

    def _encoded(self, kind: Kind, stored: Object) -> Raw:
        data = pack(stored)
        if len(data) > OBJECT_BYTES_MAX:
            raise too_large(f"{kind.singular} is too large: {len(data)} bytes of {OBJECT_BYTES_MAX} at most")
        return Raw(data)


def _warn_of_unsupported(kind: Kind, obj: Object, old: Object | None, options: WriteOptions) -> None:
    """Warn the client of what the object uses and nothing in kubus acts upon."""
    if options.notes is not None:
        for warning in unsupported_uses(kind.collection, obj, old):
            options.warn(warning)


def _readable(entry: Entry, kind: Kind) -> Object:
    try:
        return entry.viewed(kind).object
    except DecodeError as error:
        raise internal(f"{kind.resource} {entry.name!r} is stored but cannot be read: {error}") from None
