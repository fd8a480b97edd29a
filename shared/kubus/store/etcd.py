"""The store on etcd v3.

`connect` gives an `EtcdStore`. Each write is one transaction: the compares say what the caller expects (the key's
revision, the fence's), and the branch for "no" reads what stands there instead, so that a lost race costs no second
round trip. The protocol itself is in `etcd_rpc`, the watch's bookkeeping in `etcd_watch`, leases in
`etcd_leases`.

Two defects of etcd 3.4 are lived with. Progress notices may run ahead of events, so they prove nothing. A slow watch
that a compaction overtakes may lose events without a word: compact far behind the slowest reader, and compare what a
change says stood before it (`StoreChange.before`) with what is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple

from kubus.store import (
    Conflict,
    Fence,
    Fenced,
    KeyExists,
    Page,
    Reverted,
    StoreChange,
    Stored,
    Unavailable,
)
from kubus.store import etcd_rpc_pb2 as pb
from kubus.store.etcd_leases import NOTE_SECONDS, NOTE_WINDOW_SECONDS, SharedLeases
from kubus.store.etcd_rpc import PAGE_SECONDS, NoLease, Rpc
from kubus.store.etcd_watch import Changes, stored
from kubus.store.wire.endpoints import Tls

__all__ = ["EtcdStatus", "EtcdStore", "Tls", "connect"]

_RETRY_SECONDS_MAX = 1.0
_MOD = pb.Compare.MOD


class EtcdStatus(NamedTuple):
    """How one member does."""

    version: str
    bytes_on_disk: int
    bytes_in_use: int
    has_leader: bool
    errors: tuple[str, ...]
    """Alarms, such as NOSPACE."""


def connect(endpoints: tuple[str, ...], *, tls: Tls | None = None) -> EtcdStore:
    """A store on the etcd at the endpoints (`127.0.0.1:2379`; `https://` may stand before). Returns at once."""
    return EtcdStore(Rpc(endpoints, tls))


class EtcdStore:
    """`kubus.store.Store` on etcd."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._notes = SharedLeases(rpc, NOTE_SECONDS, window_seconds=NOTE_WINDOW_SECONDS)
        self._leases: dict[int, SharedLeases] = {}
        """By time to live."""

    async def get(self, key: str, *, at: int = 0) -> Stored | None:
        """See `Store.get`."""
        response = await self._rpc.range(pb.RangeRequest(key=key.encode(), revision=at))
        return stored(response.kvs[0]) if response.kvs else None

    async def page(self, prefix: str, *, after: str = "", limit: int = 0, at: int = 0) -> Page:
        """See `Store.page`."""
        start = prefix.encode() if after < prefix else after.encode() + b"\0"
        end = range_end(prefix)
        if start >= end:
            return Page([], at or await self.revision(), more=False)
        request = pb.RangeRequest(key=start, range_end=end, limit=limit, revision=at)
        response = await self._rpc.range(request, timeout_seconds=PAGE_SECONDS)
        return Page([stored(kv) for kv in response.kvs], at or response.header.revision, response.more)

    async def revision(self) -> int:
        """See `Store.revision`."""
        response = await self._rpc.range(pb.RangeRequest(key=b"/", count_only=True))
        return response.header.revision

    async def history(self) -> str:
        """See `Store.history`: etcd's cluster id, which depends on the token with which a backup was restored."""
        response = await self._rpc.range(pb.RangeRequest(key=b"/", count_only=True))
        return f"{response.header.cluster_id:x}"

    async def create(self, key: str, value: bytes, *, fence: Fence | None = None, ttl_seconds: int = 0) -> int:
        """See `Store.create`."""
        response = await self._put(_putting(key, value, 0, fence), ttl_seconds)
        if response.succeeded:
            return response.header.revision
        _current(response, fence)
        raise KeyExists(key)

    async def replace(
        self, key: str, value: bytes, *, expected: int, fence: Fence | None = None, ttl_seconds: int = 0
    ) -> int:
        """See `Store.replace`."""
        response = await self._put(_putting(key, value, expected, fence), ttl_seconds)
        if response.succeeded:
            return response.header.revision
        raise Conflict(_current(response, fence))

    async def _put(self, request: pb.TxnRequest, ttl_seconds: int) -> pb.TxnResponse:
        """A transaction whose first success is a put, under a lease if it has a time to live."""
        if not ttl_seconds:
            return await self._rpc.txn(request)
        leases = self._leases.setdefault(ttl_seconds, SharedLeases(self._rpc, ttl_seconds))
        put = request.success[0].request_put
        try:
            put.lease = await leases.current()
            return await self._rpc.txn(request)
        except NoLease:
            leases.forget()
            put.lease = await leases.current()
            return await self._rpc.txn(request)

    async def delete(
        self, key: str, *, expected: int, note: tuple[str, bytes] | None = None, fence: Fence | None = None
    ) -> int:
        """See `Store.delete`."""
        try:
            return await self._delete(key, expected, note, fence)
        except NoLease:  # etcd was restored from a backup, or stood still: a new lease, once
            self._notes.forget()
            return await self._delete(key, expected, note, fence)

    async def _delete(self, key: str, expected: int, note: tuple[str, bytes] | None, fence: Fence | None) -> int:
        name = key.encode()
        request = _transaction(name, expected, fence)
        if note is not None:
            put = request.success.add().request_put
            put.key, put.value, put.lease = note[0].encode(), note[1], await self._notes.current()
        request.success.add().request_delete_range.key = name
        response = await self._rpc.txn(request)
        if response.succeeded:
            return response.header.revision
        raise Conflict(_current(response, fence))

    async def changes(self, prefix: str, *, after: int) -> AsyncGenerator[list[StoreChange], None]:
        """See `Store.changes`."""
        state = Changes(prefix.encode(), range_end(prefix), after)
        pause = 0.0
        while True:
            try:
                async with aclosing(self._rpc.watch(state.create_request())) as arrivals:
                    async for responses in arrivals:
                        pause = 0.0
                        if responses[0].created and not responses[0].canceled:
                            await self._check_history(state.after, responses[0].header.revision)
                            del responses[0]
                        if responses:
                            batch = state.received(responses)
                            if batch or not state.is_amid:
                                yield batch
            except Unavailable:
                pause = min(max(0.05, pause * 2), _RETRY_SECONDS_MAX)
            await asyncio.sleep(pause)

    async def _check_history(self, after: int, seen: int) -> None:
        """Refuse to wait for a future that has been already: the etcd of the last stream knew more than this one."""
        if seen < after and await self.revision() < after:
            raise Reverted(seen)

    async def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        await self._rpc.compact(revision)

    async def status(self) -> EtcdStatus:
        """How the member does that answers."""
        status = await self._rpc.status()
        return EtcdStatus(status.version, status.dbSize, status.dbSizeInUse, status.leader != 0, tuple(status.errors))

    async def aclose(self) -> None:
        """See `Store.aclose`."""
        await self._rpc.aclose()


def range_end(prefix: str) -> bytes:
    """The first key after all keys with the prefix."""
    name = prefix.encode()
    return name[:-1] + bytes([name[-1] + 1])  # UTF-8 never ends in 0xff


def _transaction(key: bytes, expected: int, fence: Fence | None) -> pb.TxnRequest:
    """What is still to be said, if the key stands at the expected revision (0: is not there) and the fence at its own.

    Messages are filled where they stand: to make one of others copies them, and costs three times as much.
    """
    request = pb.TxnRequest()
    request.compare.add(target=_MOD, key=key, mod_revision=expected)
    request.failure.add().request_range.key = key
    if fence is not None:
        name = fence.key.encode()
        request.compare.add(target=_MOD, key=name, mod_revision=fence.revision)
        found = request.failure.add().request_range
        found.key, found.keys_only = name, True
    return request


def _putting(key: str, value: bytes, expected: int, fence: Fence | None) -> pb.TxnRequest:
    """A put under these conditions."""
    name = key.encode()
    request = _transaction(name, expected, fence)
    put = request.success.add().request_put
    put.key, put.value = name, value
    return request


def _current(response: pb.TxnResponse, fence: Fence | None) -> Stored | None:
    """What stands at the key of a transaction that failed.

    Raises:
        Fenced: it failed by its fence.
    """
    if fence is not None:
        found = response.responses[1].response_range.kvs
        if not found or found[0].mod_revision != fence.revision:
            raise Fenced(fence.key)
    kvs = response.responses[0].response_range.kvs
    return stored(kvs[0]) if kvs else None
