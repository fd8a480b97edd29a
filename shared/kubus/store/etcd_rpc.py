"""etcd's methods over grpc, and its errors as the store's own.

The only module that imports grpc. Methods are called by their paths with messages of `etcd_rpc.proto`. Every call has a
deadline and waits, within it, for a connection: a restart of etcd is a pause, not an error. Calls that only read
are sent again when the connection broke under them; a write is not, because it may have happened. A call that etcd
turned away unseen, because it is 5,000 writes behind, is sent again either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc

from kubus.store import Compacted, FutureRevision, NoSpace, StoreError, Unavailable
from kubus.store import etcd_rpc_pb2 as pb

CALL_SECONDS = 4.0
"""A write that reaches etcd while it elects a leader is dropped without a word (etcd itself gives up after 6 s)."""
PAGE_SECONDS = 60.0
"""A page without a limit may be hundreds of megabytes."""
_ATTEMPTS = 4
_RETRY_SECONDS = 0.05
_TOO_MANY = "too many requests"
_ONLY_WITH_A_LEADER = (("hasleader", "true"),)

_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", -1),  # a page or a batch of changes may exceed grpc's 4 MB
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),  # the default of 120 s turns a restart into an outage
    ("grpc.min_reconnect_backoff_ms", 2000),  # the time one attempt may take
    ("grpc.keepalive_time_ms", 10_000),  # etcd hangs up on clients that ping more often than every 5 s
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.enable_retries", 0),  # what may be sent twice is decided here
    ("grpc.lb_policy_name", "round_robin"),  # a member that has lost its quorum still accepts connections
]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM. `server_name`: the name in the members' certificates, where it is not the endpoints'."""

    ca_file: str
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""


class NoLease(StoreError):
    """The lease of a put is gone."""


class Rpc:
    """A connection to an etcd cluster. Methods raise `StoreError`s, `Unavailable` when there is no answer in time."""

    def __init__(self, endpoints: tuple[str, ...], tls: Tls | None) -> None:
        self._channel = _channel(endpoints, tls)
        self._range = self._method("KV/Range", pb.RangeRequest, pb.RangeResponse)
        self._txn = self._method("KV/Txn", pb.TxnRequest, pb.TxnResponse)
        self._compact = self._method("KV/Compact", pb.CompactionRequest, pb.CompactionResponse)
        self._grant = self._method("Lease/LeaseGrant", pb.LeaseGrantRequest, pb.LeaseGrantResponse)
        self._status = self._method("Maintenance/Status", pb.StatusRequest, pb.StatusResponse)
        self._watch = self._channel.stream_stream(
            "/etcdserverpb.Watch/Watch",
            request_serializer=pb.WatchRequest.SerializeToString,
            response_deserializer=pb.WatchResponse.FromString,
        )

    def _method(self, path: str, request: Any, response: Any) -> Callable[..., Any]:
        return self._channel.unary_unary(
            f"/etcdserverpb.{path}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )

    async def range(self, request: pb.RangeRequest, *, timeout_seconds: float = CALL_SECONDS) -> pb.RangeResponse:
        """KV.Range, again if the connection breaks."""
        response: pb.RangeResponse = await _again(
            lambda: self._range(request, timeout=timeout_seconds, wait_for_ready=True)
        )
        return response

    async def txn(self, request: pb.TxnRequest) -> pb.TxnResponse:
        """KV.Txn; not again once etcd may have seen it."""
        attempt = 0
        while True:
            try:
                response: pb.TxnResponse = await self._txn(request, timeout=CALL_SECONDS, wait_for_ready=True)
                return response
            except grpc.aio.AioRpcError as error:
                attempt += 1
                if attempt == _ATTEMPTS or _TOO_MANY not in (error.details() or ""):
                    raise _store_error(error) from None
                await asyncio.sleep(_RETRY_SECONDS * attempt)

    async def compact(self, revision: int) -> None:
        """KV.Compact."""
        request = pb.CompactionRequest(revision=revision)
        await _again(lambda: self._compact(request, timeout=CALL_SECONDS, wait_for_ready=True))

    async def grant(self, ttl_seconds: int) -> int:
        """Lease.LeaseGrant; the lease's id. Repeated freely: a lease too many only expires."""
        request = pb.LeaseGrantRequest(TTL=ttl_seconds)
        response = await _again(lambda: self._grant(request, timeout=CALL_SECONDS, wait_for_ready=True))
        return int(response.ID)

    async def status(self) -> pb.StatusResponse:
        """Maintenance.Status of one member."""
        response: pb.StatusResponse = await _again(
            lambda: self._status(pb.StatusRequest(), timeout=CALL_SECONDS, wait_for_ready=True)
        )
        return response

    async def watch(self, requests: AsyncIterator[pb.WatchRequest]) -> AsyncGenerator[pb.WatchResponse, None]:
        """Watch.Watch: responses until the stream ends. Fails when etcd is away or the member has lost its leader."""
        call = self._watch(requests, metadata=_ONLY_WITH_A_LEADER)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise _store_error(error) from None
        finally:
            call.cancel()

    async def aclose(self) -> None:
        """End the connection and every call on it."""
        await self._channel.close(None)


def _channel(endpoints: tuple[str, ...], tls: Tls | None) -> grpc.aio.Channel:
    addresses = [endpoint.removeprefix("https://").removeprefix("http://") for endpoint in endpoints]
    literal = all(address[0].isdigit() for address in addresses)
    if not literal and len(addresses) > 1:
        raise ValueError("several etcd endpoints must be IPv4 addresses; a single one may be a name with many")
    target = f"ipv4:{','.join(addresses)}" if literal else f"dns:///{addresses[0]}"
    if tls is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    name = tls.server_name or addresses[0].rpartition(":")[0]
    credentials = grpc.ssl_channel_credentials(
        Path(tls.ca_file).read_bytes(),
        Path(tls.key_file).read_bytes() if tls.key_file else None,
        Path(tls.cert_file).read_bytes() if tls.cert_file else None,
    )
    return grpc.aio.secure_channel(target, credentials, options=[*_OPTIONS, ("grpc.ssl_target_name_override", name)])


async def _again(call: Callable[[], Any]) -> Any:
    """The call's answer; a few attempts while the connection breaks or etcd is busy."""
    attempt = 0
    while True:
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            attempt += 1
            known = _store_error(error)
            if attempt == _ATTEMPTS or not isinstance(known, Unavailable) or error.code() is _TOO_LATE:
                raise known from None
            await asyncio.sleep(_RETRY_SECONDS * attempt)


def _store_error(error: grpc.aio.AioRpcError) -> StoreError:
    """The error of etcd (its api/v3rpc/rpctypes/error.go) in the store's terms."""
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.OUT_OF_RANGE:
        return FutureRevision(details) if "future" in details else Compacted()
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "space exceeded" in details:
        return NoSpace(details)
    if code is grpc.StatusCode.NOT_FOUND and "lease" in details:
        return NoLease(details)
    if code in _AWAY:
        return Unavailable(f"etcd: {code.name}: {details}")
    return StoreError(f"etcd: {code.name}: {details}")


_TOO_LATE = grpc.StatusCode.DEADLINE_EXCEEDED
_AWAY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        _TOO_LATE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,  # "too many requests": etcd is behind
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.UNKNOWN,  # errors of raft, that etcd 3.4 gives no code: too many requests, stopped
    }
)
