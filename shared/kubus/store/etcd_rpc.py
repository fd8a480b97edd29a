"""etcd's methods over gRPC, and its errors as the store's own.

Methods are called by their paths with messages of `etcd_rpc.proto`. Every call has a deadline and waits, within it,
for a connection: a restart of etcd is a pause, not an error. Calls that only read are sent again when the connection
broke under them; a write is not, because it may have happened. A call that was turned away unseen, because etcd goes
away, is 5,000 writes behind or has just changed its users, is sent again either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from kubus.store import Compacted, FutureRevision, NoSpace, StoreError, Unavailable
from kubus.store import etcd_rpc_pb2 as pb
from kubus.store.wire.channel import Channel
from kubus.store.wire.endpoints import Tls
from kubus.store.wire.statuses import CallFailed, Status

if TYPE_CHECKING:
    from google.protobuf.message import Message

CALL_SECONDS = 4.0
"""A write that reaches etcd while it elects a leader is dropped without a word (etcd itself gives up after 6 s)."""
PAGE_SECONDS = 60.0
"""A page without a limit may be hundreds of megabytes."""
_ATTEMPTS = 4
_RETRY_SECONDS = 0.05
_SIGN_OF_LIFE_SECONDS = 1.0
_TOO_MANY = "too many requests"
_USERS_CHANGED = "revision of auth store is old"
"""A user or role changed between a request's arrival and its turn; etcd applies none of it."""
_ONLY_WITH_A_LEADER = (("hasleader", "true"),)
_PROGRESS = pb.WatchRequest(progress_request=pb.WatchProgressRequest()).SerializeToString()

_RANGE = "/etcdserverpb.KV/Range"
_TXN = "/etcdserverpb.KV/Txn"
_COMPACT = "/etcdserverpb.KV/Compact"
_GRANT = "/etcdserverpb.Lease/LeaseGrant"
_STATUS = "/etcdserverpb.Maintenance/Status"
_WATCH = "/etcdserverpb.Watch/Watch"
_AUTH = "/etcdserverpb.Auth/"


class NoLease(StoreError):
    """The lease of a put is gone."""


class NameNotFound(StoreError):
    """There is no such user or role."""


class Rpc:
    """A connection to an etcd cluster. Methods raise `StoreError`s, `Unavailable` when there is no answer in time."""

    def __init__(self, endpoints: tuple[str, ...], tls: Tls | None) -> None:
        self._channel = Channel(endpoints, tls)

    async def range(self, request: pb.RangeRequest, *, timeout_seconds: float = CALL_SECONDS) -> pb.RangeResponse:
        """KV.Range, again if the connection breaks."""
        return pb.RangeResponse.FromString(await self._read(_RANGE, request.SerializeToString(), timeout_seconds))

    async def txn(self, request: pb.TxnRequest) -> pb.TxnResponse:
        """KV.Txn; not again once etcd may have seen it."""
        message = request.SerializeToString()
        attempt = 0
        while True:
            try:
                return pb.TxnResponse.FromString(await self._channel.call(_TXN, message, CALL_SECONDS))
            except CallFailed as failure:
                attempt += 1
                if attempt == _ATTEMPTS or not _is_unseen(failure):
                    raise _store_error(failure) from None
                await asyncio.sleep(_RETRY_SECONDS * attempt)

    async def compact(self, revision: int) -> None:
        """KV.Compact."""
        await self._read(_COMPACT, pb.CompactionRequest(revision=revision).SerializeToString())

    async def grant(self, ttl_seconds: int) -> int:
        """Lease.LeaseGrant; the lease's id. Repeated freely: a lease too many only expires."""
        answer = await self._read(_GRANT, pb.LeaseGrantRequest(TTL=ttl_seconds).SerializeToString())
        return pb.LeaseGrantResponse.FromString(answer).ID

    async def status(self) -> pb.StatusResponse:
        """Maintenance.Status of one member."""
        return pb.StatusResponse.FromString(await self._read(_STATUS, b""))

    async def auth(self, method: str, request: Message) -> bytes:
        """A method of etcd's Auth service; its answer, to be read as the method's response.

        Raises:
            NameNotFound: there is no such user or role.
        """
        return await self._read(_AUTH + method, request.SerializeToString())

    async def watch(self, create: pb.WatchRequest) -> AsyncGenerator[list[pb.WatchResponse], None]:
        """Watch.Watch: all responses that have come, whenever some have, and a sign of life about once a second.

        Fails when etcd is away or the member has lost its leader.
        """
        loop = asyncio.get_running_loop()
        asking: asyncio.TimerHandle | None = None
        try:
            async with self._channel.conversation(_WATCH, _ONLY_WITH_A_LEADER, CALL_SECONDS) as conversation:

                def ask() -> None:
                    nonlocal asking
                    conversation.send(_PROGRESS)
                    asking = loop.call_later(_SIGN_OF_LIFE_SECONDS, ask)

                conversation.send(create.SerializeToString())
                asking = loop.call_later(_SIGN_OF_LIFE_SECONDS, ask)
                while True:
                    yield [pb.WatchResponse.FromString(message) for message in await conversation.messages()]
        except CallFailed as failure:
            raise _store_error(failure) from None
        finally:
            if asking is not None:
                asking.cancel()

    async def aclose(self) -> None:
        """End the connection and every call on it."""
        await self._channel.aclose()

    async def _read(self, path: str, message: bytes, timeout_seconds: float = CALL_SECONDS) -> bytes:
        """The answer of a call that does no harm twice; a few attempts while the connection breaks or etcd is busy."""
        attempt = 0
        while True:
            try:
                return await self._channel.call(path, message, timeout_seconds)
            except CallFailed as failure:
                attempt += 1
                known = _store_error(failure)
                too_late = failure.status is Status.DEADLINE_EXCEEDED
                if attempt == _ATTEMPTS or too_late or not isinstance(known, Unavailable):
                    raise known from None
                await asyncio.sleep(_RETRY_SECONDS * attempt)


def _is_unseen(failure: CallFailed) -> bool:
    """Whether etcd has certainly done nothing, and there is time left to ask again."""
    if failure.status is Status.DEADLINE_EXCEEDED:
        return False
    return failure.unseen or _TOO_MANY in failure.details or _USERS_CHANGED in failure.details


def _store_error(failure: CallFailed) -> StoreError:
    """The error of etcd (its api/v3rpc/rpctypes/error.go) in the store's terms."""
    status, details = failure.status, failure.details
    if status is Status.OUT_OF_RANGE:
        return FutureRevision(details) if "future" in details else Compacted()
    if status is Status.RESOURCE_EXHAUSTED and "space exceeded" in details:
        return NoSpace(details)
    if status is Status.NOT_FOUND and "lease" in details:
        return NoLease(details)
    if status is Status.FAILED_PRECONDITION and "name not found" in details:
        return NameNotFound(details)
    if status in _AWAY or _USERS_CHANGED in details:
        return Unavailable(f"etcd: {failure}")
    return StoreError(f"etcd: {failure}")


_AWAY = frozenset(
    {
        Status.OK,  # a watch that etcd has ended in order
        Status.UNAVAILABLE,
        Status.DEADLINE_EXCEEDED,
        Status.RESOURCE_EXHAUSTED,  # "too many requests": etcd is behind
        Status.CANCELLED,
        Status.ABORTED,
        Status.UNKNOWN,  # errors of raft, that etcd 3.4 gives no code: too many requests, stopped
    }
)
