"""etcd's errors in the store's terms, and how the connection is made."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from kubus.store import Compacted, FutureRevision, NoSpace, StoreError, Unavailable
from kubus.store import etcd_rpc_pb2 as pb
from kubus.store.etcd import connect
from kubus.store.etcd_rpc import NoLease, Rpc, _store_error
from kubus.store.wire import frames
from kubus.store.wire.endpoints import Tls
from kubus.store.wire.statuses import CallFailed, Status
from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import ServerTls, etcd_server
from kubus.testing.rpc_server import RpcServer, rpc_server


@pytest.mark.parametrize(
    ("code", "details", "expected"),
    [
        (Status.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", Compacted),
        (Status.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision", FutureRevision),
        (Status.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", NoSpace),
        (Status.RESOURCE_EXHAUSTED, "etcdserver: too many requests", Unavailable),
        (Status.UNKNOWN, "etcdserver: too many requests", Unavailable),
        (Status.NOT_FOUND, "etcdserver: requested lease not found", NoLease),
        (Status.UNAVAILABLE, "etcdserver: leader changed", Unavailable),
        (Status.UNAVAILABLE, "the server has closed the connection", Unavailable),
        (Status.DEADLINE_EXCEEDED, "no answer in time", Unavailable),
        (Status.CANCELLED, "closed", Unavailable),
        (Status.INVALID_ARGUMENT, "etcdserver: request is too large", StoreError),
        (Status.PERMISSION_DENIED, "etcdserver: permission denied", StoreError),
    ],
)
def test_an_error_of_etcd_has_a_type(code, details, expected):
    assert type(_store_error(CallFailed(code, details))) is expected


TXN = pb.TxnRequest(compare=[pb.Compare(key=b"k")])
DONE = pb.TxnResponse(succeeded=True)


async def _told(server: RpcServer, end: str) -> None:
    """A first call ends so, a second one has its answer."""
    first = await server.next_call()
    if end == "refused":
        first.reset(frames.REFUSED_STREAM)
    elif end == "away":
        first.go_away(0)
    elif end == "busy":
        first.end(Status.RESOURCE_EXHAUSTED, "etcdserver: too many requests")
    elif end == "broken":
        first.hang_up()
    else:
        first.end(Status.UNAVAILABLE, end)
    (await server.next_call()).answer(DONE.SerializeToString())


@pytest.mark.parametrize("end", ["refused", "away", "busy"])
async def test_a_write_that_etcd_has_not_looked_at_is_made_again(end):
    async with rpc_server() as server, asyncio.TaskGroup() as group:
        telling = group.create_task(_told(server, end))
        rpc = Rpc((server.endpoint,), None)
        assert (await rpc.txn(TXN)) == DONE
        await telling
        await rpc.aclose()


@pytest.mark.parametrize("end", ["broken", "etcdserver: leader changed"])
async def test_a_write_that_may_have_happened_is_not_made_again_and_a_read_is(end):
    async with rpc_server() as server:
        rpc = Rpc((server.endpoint,), None)
        telling = asyncio.ensure_future(_told(server, end))
        with pytest.raises(Unavailable):
            await rpc.txn(TXN)
        assert server.calls.empty()
        await rpc.status()
        await telling
        telling = asyncio.ensure_future(_told(server, end))
        await rpc.status()
        await telling
        await rpc.aclose()


async def test_a_watch_brings_everything_that_came_at_once():
    async with rpc_server() as server:
        rpc = Rpc((server.endpoint,), None)
        create = pb.WatchRequest(create_request=pb.WatchCreateRequest(key=b"k"))
        async with aclosing(rpc.watch(create)) as arrivals:
            arriving = asyncio.ensure_future(anext(arrivals))
            call = await server.next_call()
            call.say(*(pb.WatchResponse(created=each == 0).SerializeToString() for each in range(3)))
            assert [response.created for response in await arriving] == [True, False, False]
            assert call.messages == [create.SerializeToString()]
        async with asyncio.timeout(5):
            while not call.is_reset:
                await asyncio.sleep(0.01)
        await rpc.aclose()


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
        assert all("alert" in str(end) for end in ends), "what etcd has against the certificate is said"
        for store in stores:
            await store.aclose()
