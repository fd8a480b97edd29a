"""etcd's errors in the store's terms, and how the connection is made."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from kubus.store import Compacted, FutureRevision, NoSpace, StoreError, Unavailable
from kubus.store.etcd import connect
from kubus.store.etcd_rpc import NoLease, Tls, _store_error
from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import ServerTls, etcd_server

CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("code", "details", "expected"),
    [
        (CODE.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", Compacted),
        (CODE.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision", FutureRevision),
        (CODE.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", NoSpace),
        (CODE.RESOURCE_EXHAUSTED, "etcdserver: too many requests", Unavailable),
        (CODE.UNKNOWN, "etcdserver: too many requests", Unavailable),
        (CODE.NOT_FOUND, "etcdserver: requested lease not found", NoLease),
        (CODE.UNAVAILABLE, "etcdserver: leader changed", Unavailable),
        (CODE.UNAVAILABLE, "failed to connect to all addresses", Unavailable),
        (CODE.DEADLINE_EXCEEDED, "Deadline Exceeded", Unavailable),
        (CODE.CANCELLED, "Channel closed", Unavailable),
        (CODE.INVALID_ARGUMENT, "etcdserver: request is too large", StoreError),
        (CODE.PERMISSION_DENIED, "etcdserver: permission denied", StoreError),
    ],
)
def test_an_error_of_etcd_has_a_type(code, details, expected):
    metadata = grpc.aio.Metadata()
    assert type(_store_error(grpc.aio.AioRpcError(code, metadata, metadata, details=details))) is expected


async def test_over_tls_only_holders_of_a_certificate_are_let_in(tmp_path):
    authority = Authority(tmp_path)
    server = authority.issue("etcd", hosts=("127.0.0.1", "localhost"))
    client = authority.issue("system:apiserver")
    mine = Tls(authority.ca_file, client.cert_file, client.key_file)
    async with etcd_server(tls=ServerTls(authority.ca_file, server.cert_file, server.key_file, mine)) as etcd:
        store = connect((f"https://{etcd.endpoint}",), tls=mine)
        created = await store.create("/k/a", b"one")
        assert (await store.get("/k/a")).revision == created
        await store.aclose()
        (tmp_path / "stranger").mkdir()
        stranger = Authority(tmp_path / "stranger").issue("system:apiserver")
        others = (Tls(authority.ca_file), Tls(authority.ca_file, stranger.cert_file, stranger.key_file))
        stores = [connect((etcd.endpoint,), tls=tls) for tls in others]
        ends = await asyncio.gather(*(store.get("/k/a") for store in stores), return_exceptions=True)
        assert [type(end) for end in ends] == [Unavailable, Unavailable]
        for store in stores:
            await store.aclose()
