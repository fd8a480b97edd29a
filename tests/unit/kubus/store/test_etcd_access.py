"""etcd's access control, against a real etcd with an authority of its own."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from kubus.store import StoreError, Unavailable
from kubus.store import etcd_rpc_pb2 as pb
from kubus.store.etcd import EtcdStore, Tls, connect
from kubus.store.etcd_access import ROOT, Access, ensure_access
from kubus.store.etcd_rpc import Rpc
from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import ServerTls, etcd_server

WANTED = (Access("writer", "readwrite"), Access("reader", "read"))
PERMISSION_DENIED = "permission denied"


class Guarded:
    """An etcd that knows its users."""

    def __init__(self, endpoint: str, authority: Authority) -> None:
        self.endpoint = endpoint
        self._authority = authority

    def tls(self, user: str) -> Tls:
        """TLS as a user."""
        pair = self._authority.issue(user)
        return Tls(self._authority.ca_file, pair.cert_file, pair.key_file)

    def store(self, user: str) -> EtcdStore:
        """A store as a user sees it."""
        return connect((self.endpoint,), tls=self.tls(user))

    async def ensure(self, user: str = ROOT) -> None:
        """Set access up as a user."""
        rpc = Rpc((self.endpoint,), self.tls(user))
        try:
            await ensure_access(rpc, WANTED)
        finally:
            await rpc.aclose()


@pytest.fixture
async def etcd(tmp_path):
    authority = Authority(tmp_path)
    server = authority.issue("server", hosts=("127.0.0.1",))
    root = authority.issue(ROOT)
    client = Tls(authority.ca_file, root.cert_file, root.key_file)
    async with etcd_server(tls=ServerTls(authority.ca_file, server.cert_file, server.key_file, client)) as running:
        guarded = Guarded(running.endpoint, authority)
        await guarded.ensure()
        yield guarded


async def test_the_writer_reads_and_writes_and_leaves_notes(etcd):
    store = etcd.store("writer")
    created = await store.create("/kubus/a", b"1")
    replaced = await store.replace("/kubus/a", b"2", expected=created)
    deleted = await store.delete("/kubus/a", expected=replaced, note=("/kubus/notes/a", b"by"))
    assert await store.revision() >= deleted
    await store.aclose()


async def test_the_reader_reads_and_watches(etcd):
    writer, reader = etcd.store("writer"), etcd.store("reader")
    first = await writer.create("/kubus/a", b"1")
    assert (await reader.get("/kubus/a")).value == b"1"
    assert [each.key for each in (await reader.page("/kubus/")).items] == ["/kubus/a"]
    async with asyncio.timeout(20), aclosing(reader.changes("/kubus/", after=first - 1)) as changes:
        async for batch in changes:
            if batch:
                assert [change.key for change in batch] == ["/kubus/a"]
                break
    await asyncio.gather(writer.aclose(), reader.aclose())


async def write(store):
    await store.create("/kubus/b", b"mine")


async def overwrite(store):
    await store.replace("/kubus/a", b"mine", expected=(await store.get("/kubus/a")).revision)


async def remove(store):
    await store.delete("/kubus/a", expected=(await store.get("/kubus/a")).revision)


async def read(store):
    await store.get("/kubus/a")


async def read_beside(store):
    await store.get("elsewhere")


@pytest.mark.parametrize(
    ("user", "attack"),
    [
        ("reader", write),
        ("reader", overwrite),
        ("reader", remove),
        ("reader", read_beside),
        ("writer", read_beside),
        ("alice", read),
        ("alice", write),
    ],
)
async def test_whoever_may_not_is_refused(etcd, user, attack):
    writer, store = etcd.store("writer"), etcd.store(user)
    await writer.create("/kubus/a", b"1")
    with pytest.raises(StoreError, match=PERMISSION_DENIED):
        await attack(store)
    assert (await writer.get("/kubus/a")).value == b"1"
    await asyncio.gather(writer.aclose(), store.aclose())


@pytest.mark.parametrize(
    ("user", "why"), [("reader", "denied"), ("writer", "denied"), ("alice", "user name not found")]
)
async def test_only_root_changes_users(etcd, user, why):
    rpc, store = Rpc((etcd.endpoint,), etcd.tls(user)), etcd.store("reader")
    with pytest.raises(StoreError, match=why):
        await rpc.auth("UserGrantRole", pb.AuthUserGrantRoleRequest(user="reader", role=ROOT))
    with pytest.raises(StoreError, match=PERMISSION_DENIED):
        await write(store)
    await asyncio.gather(rpc.aclose(), store.aclose())


async def test_setting_it_up_again_changes_nothing_and_disturbs_no_write(etcd):
    store = etcd.store("writer")
    writing = asyncio.gather(*(store.create(f"/kubus/{number}", b"x") for number in range(200)))
    await etcd.ensure()
    await writing
    await store.aclose()


async def test_a_write_that_meets_a_change_of_users_is_sent_again(etcd):
    rpc, store = Rpc((etcd.endpoint,), etcd.tls(ROOT)), etcd.store("writer")
    writing = asyncio.gather(*(store.create(f"/kubus/{number}", b"x") for number in range(300)))
    for number in range(5):
        await rpc.auth("RoleAdd", pb.AuthRoleAddRequest(name=f"role-{number}"))
    await writing
    await asyncio.gather(store.aclose(), rpc.aclose())


async def test_a_certificate_of_another_authority_is_not_let_in(etcd, tmp_path):
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other").issue("writer")
    store = connect((etcd.endpoint,), tls=Tls(str(tmp_path / "ca.crt"), stranger.cert_file, stranger.key_file))
    with pytest.raises(Unavailable, match="alert"):
        await store.get("/kubus/a")
    await store.aclose()
