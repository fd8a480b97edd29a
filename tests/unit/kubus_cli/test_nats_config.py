"""What each identity may say and hear, tried against a real nats-server with real certificates."""

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import nats
import pytest

from kubus.bus import BusError, Message
from kubus.bus.journal import NatsJournal
from kubus.bus.nats import connect
from kubus.bus.subjects import API_REQUESTS
from kubus.testing.nats_server import free_port
from kubus_cli import identities, nats_config, pki
from kubus_cli.supervisor import open_log

NODES = ("n1", "n.2")
USERS = (*identities.ON_BUS, *(identities.kubelet(node) for node in NODES))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    pki.ensure_bus(directory, ("127.0.0.1",), NODES, datetime.now(UTC))
    return directory


@asynccontextmanager
async def a_server(certificates, tmp_path):
    from kubus_cli.programs import nats_server

    port = free_port()
    files = nats_config.ServerFiles(
        "test",
        "127.0.0.1",
        port,
        tmp_path / "js",
        certificates / "bus-ca.crt",
        certificates / "nats.crt",
        certificates / "nats.key",
    )
    config = tmp_path / "nats.conf"
    config.write_bytes(nats_config.render(files, nats_config.all_rights(NODES)))
    with open_log(tmp_path / "nats.log") as log:
        process = await asyncio.create_subprocess_exec(nats_server(), "--config", str(config), stdout=log, stderr=log)
    try:
        yield f"tls://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def on_bus(url, certificates, identity):
    tls = ssl.create_default_context(cafile=certificates / "bus-ca.crt")
    tls.load_cert_chain(certificates / f"{identity.file}.crt", certificates / f"{identity.file}.key")
    bus = await connect(url, identity=identity.user, tls=tls)
    try:
        yield bus
    finally:
        await bus.aclose()


async def answer_with_subject(message):
    return message.subject.encode()


async def test_each_identity_asks_under_its_own_name_and_no_other(certificates, tmp_path):
    async with a_server(certificates, tmp_path) as url, on_bus(url, certificates, identities.APISERVER) as apiserver:
        await apiserver.serve(API_REQUESTS, answer_with_subject)
        for user in USERS:
            async with on_bus(url, certificates, user) as bus:
                own = f"kubus.api.{user.user.replace('n.2', 'n%2e2')}.get.pods.core"
                assert await bus.request(own, b"") == own.encode()
                with pytest.raises(BusError):
                    await bus.request("kubus.api.somebody.get.pods.core", b"", timeout_seconds=1.0)


@pytest.mark.parametrize(
    ("listener", "subject"),
    [
        (identities.kubelet("n1"), "kubus.ev.pods.core.default.web"),
        (identities.kubelet("n1"), "kubus.node.n%2e2.ev.pods.core.default.web"),
        (identities.kubelet("n1"), "_INBOX.system:relay.x"),
        (identities.SCHEDULER, "kubus.node.n1.call"),
        (identities.RELAY, "kubus.ev.>"),
    ],
)
async def test_what_an_identity_may_not_hear_it_does_not_hear(certificates, tmp_path, listener, subject):
    async with a_server(certificates, tmp_path) as url, on_bus(url, certificates, listener) as bus:
        subscription = await bus.subscribe(subject)
        (first,) = await subscription.next_batch()
        assert "ermission" in first.reason or "permitted" in first.reason


async def test_a_kubelet_answers_calls_of_its_own_node(certificates, tmp_path):
    kubelet = identities.kubelet("n1")
    async with (
        a_server(certificates, tmp_path) as url,
        on_bus(url, certificates, kubelet) as node,
        on_bus(url, certificates, identities.APISERVER) as apiserver,
    ):
        await node.serve("kubus.node.n1.call", answer_with_subject)
        assert await apiserver.request("kubus.node.n1.call", b"") == b"kubus.node.n1.call"


def test_secrets_are_kept_from_all_who_need_no_news_of_them():
    everything = {each.identity.user for each in nats_config.all_rights(NODES) if "kubus.ev.>" in each.subscribe}
    assert everything == {"system:apiserver", "system:kube-controller-manager"}
    assert not any("secrets" in subject for each in nats_config.all_rights(NODES) for subject in each.subscribe)


FOREIGN = (
    "kubus.node.n%2e2.call",
    "kubus.node.n%2e2.session.s.up",
    "kubus.node.n%2e2.session.s.down",
    "kubus.node.n%2e2.ev.pods.core.default.web",
    "kubus.ev.pods.core.default.web",
    "kubus.beat.pods.core",
    "kubus.api.system:node:n%2e2.get.pods.core",
    "_INBOX.system:node:n%2e2.1",
    "_INBOX.system:apiserver.1",
    "$JS.API.STREAM.DELETE.JOURNAL",
    "$JS.API.STREAM.INFO.JOURNAL",
    "$JS.API.CONSUMER.CREATE.JOURNAL",
    "$JS.ACK.JOURNAL.x",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.ACCOUNT.PING.CONNZ",
)
"""What is not the kubelet's of n1 to say or hear."""


async def test_a_kubelet_says_nothing_that_is_another_nodes(certificates, tmp_path):
    own, other = identities.kubelet("n1"), identities.kubelet("n.2")
    async with (
        a_server(certificates, tmp_path) as url,
        on_bus(url, certificates, own) as hostile,
        on_bus(url, certificates, other) as victim,
        on_bus(url, certificates, identities.APISERVER) as apiserver,
    ):
        heard = [
            await victim.subscribe("kubus.node.n%2e2.>"),
            await victim.subscribe("_INBOX.system:node:n%2e2.>"),
            await apiserver.subscribe("kubus.node.*.session.*.down"),
            await apiserver.subscribe("kubus.ev.>"),
            await apiserver.subscribe("kubus.beat.>"),
            await apiserver.subscribe(API_REQUESTS),
        ]
        for subject in FOREIGN:
            await hostile.publish(subject, b"forged")
        await hostile.publish("kubus.node.n1.session.s.down", b"its own")
        await hostile.publish("kubus.api.system:node:n1.get.pods.core", b"its own")
        await hostile.flush()
        await apiserver.publish("kubus.node.n%2e2.session.s.up", b"real")
        await apiserver.publish("_INBOX.system:node:n%2e2.2", b"real")
        await apiserver.flush()
        arrived = [await first(each) for each in (heard[0], heard[1], heard[2], heard[5])]
        assert [message.data for message in arrived] == [b"real", b"real", b"its own", b"its own"]
        for silent in heard[3:5]:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(first(silent), 0.1)


async def first(subscription):
    """The first message; what the bus says of itself is passed over."""
    while True:
        for item in await subscription.next_batch():
            if isinstance(item, Message):
                return item


@pytest.mark.parametrize(
    "subject", [*FOREIGN, "kubus.>", ">", "*.*.*.call", "_INBOX.>", "$JS.>", "$SYS.>", "kubus.node.*.ev.>"]
)
async def test_a_kubelet_hears_nothing_that_is_another_nodes(certificates, tmp_path, subject):
    async with a_server(certificates, tmp_path) as url, on_bus(url, certificates, identities.kubelet("n1")) as bus:
        (refusal,) = await (await bus.subscribe(subject)).next_batch()
        assert "ermission" in refusal.reason or "permitted" in refusal.reason


@pytest.mark.parametrize(
    "subject", ["$JS.API.INFO", "$JS.API.STREAM.NAMES", "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO"]
)
async def test_the_servers_own_interfaces_do_not_answer_a_kubelet(certificates, tmp_path, subject):
    async with a_server(certificates, tmp_path) as url, on_bus(url, certificates, identities.kubelet("n1")) as bus:
        with pytest.raises(BusError):
            await bus.request(subject, b"", timeout_seconds=0.3)


async def test_whose_certificate_names_no_user_does_not_get_in(certificates, tmp_path):
    stranger = identities.kubelet("stranger")
    pki.ensure(certificates, [pki.client_of(stranger)], datetime.now(UTC), pki.BUS_CA)
    async with a_server(certificates, tmp_path) as url:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0), on_bus(url, certificates, stranger):
                pass


@pytest.mark.parametrize(
    "identity", [identities.APISERVER, identities.RELAY, identities.ADMIN, identities.kubelet("n1")]
)
async def test_a_certificate_that_the_clusters_authority_signed_does_not_get_in(certificates, tmp_path, identity):
    """Whoever approves a certificate request may choose its subject."""
    pki.ensure(tmp_path, [pki.client_of(identity)], datetime.now(UTC))
    tls = ssl.create_default_context(cafile=certificates / "bus-ca.crt")
    tls.load_cert_chain(tmp_path / f"{identity.file}.crt", tmp_path / f"{identity.file}.key")
    async with a_server(certificates, tmp_path) as url:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await connect(url, identity=identity.user, tls=tls)


@asynccontextmanager
async def tap_on_bus(url, certificates):
    """nats-py as it is, with the tap's credential, and what the server refuses it."""
    tls = ssl.create_default_context(cafile=certificates / "bus-ca.crt")
    tls.load_cert_chain(certificates / "tap.crt", certificates / "tap.key")
    refused = []

    async def note(error):
        if "permission" in str(error):  # besides what is told until the server has started
            refused.append(str(error))

    client = await nats.connect(url, tls=tls, error_cb=note)
    try:
        yield client, refused
    finally:
        await client.close()


async def refusals(refused, count):
    """Wait until so many were told."""
    async with asyncio.timeout(20):
        while len(refused) < count:
            await asyncio.sleep(0.01)


async def write_journal(bus, count):
    journal = NatsJournal(bus)
    await journal.open()
    for revision in range(1, count + 1):
        await journal.publish(f"kubus.ev.pods.core.default.p{revision}", b"%d" % revision, revision)
    await bus.flush()
    await journal.confirm()


async def test_a_tap_hears_events_and_reads_the_journal(certificates, tmp_path):
    async with (
        a_server(certificates, tmp_path) as url,
        on_bus(url, certificates, identities.RELAY) as relay,
        tap_on_bus(url, certificates) as (tap, refused),
    ):
        heard = await tap.subscribe("kubus.ev.pods.>")
        await tap.flush()
        await write_journal(relay, 3)
        assert [(await heard.next_msg(timeout=10)).data for _ in range(3)] == [b"1", b"2", b"3"]
        journal = tap.jetstream(domain="kubus")
        assert await journal.find_stream_name_by_subject("kubus.ev.>") == "JOURNAL"
        assert (await journal.stream_info("JOURNAL")).state.messages == 3
        assert (await journal.get_msg("JOURNAL", seq=2)).data == b"2"
        assert (await journal.get_msg("JOURNAL", seq=2, direct=True, next=True, subject="kubus.ev.>")).data == b"2"
        assert refused == []


TAP_ATTACKS = (
    *(subject for subject in FOREIGN if subject != "_INBOX.system:node:n%2e2.1"),
    "kubus.api.kubus:tap.get.pods.core",
    "kubus.api.kubernetes-admin.get.secrets.core",
    "$JS.API.CONSUMER.CREATE.JOURNAL",
    "$JS.kubus.API.CONSUMER.CREATE.JOURNAL",
    "$JS.kubus.API.STREAM.DELETE.JOURNAL",
    "$JS.kubus.API.STREAM.PURGE.JOURNAL",
)


async def test_a_tap_publishes_nothing(certificates, tmp_path):
    async with (
        a_server(certificates, tmp_path) as url,
        on_bus(url, certificates, identities.ADMIN_ON_BUS) as admin,
        tap_on_bus(url, certificates) as (tap, refused),
    ):
        heard = await admin.subscribe("kubus.>")
        await admin.flush()
        for subject in TAP_ATTACKS:
            await tap.publish(subject, b"forged")
        await tap.flush()
        await refusals(refused, len(TAP_ATTACKS))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(first(heard), 0.3)


@pytest.mark.parametrize("subject", ["kubus.node.n1.call", "kubus.node.n1.session.s.up", "kubus.api.>", "kubus.>", ">"])
async def test_a_tap_hears_nothing_but_events(certificates, tmp_path, subject):
    async with a_server(certificates, tmp_path) as url, tap_on_bus(url, certificates) as (tap, refused):
        await tap.subscribe(subject)
        await refusals(refused, 1)


async def test_a_tap_shares_no_inbox_with_the_others(certificates, tmp_path):
    async with (
        a_server(certificates, tmp_path) as url,
        on_bus(url, certificates, identities.APISERVER) as apiserver,
        tap_on_bus(url, certificates) as (tap, refused),
    ):
        heard = await tap.subscribe("_INBOX.>")
        await tap.flush()
        await apiserver.publish("_INBOX.system:node:n1.1", b"a Secret")
        await apiserver.flush()
        with pytest.raises(nats.errors.TimeoutError):
            await heard.next_msg(timeout=0.3)
        assert refused == []


@pytest.mark.parametrize(
    "victim", ["kubus.node.n1.call", "kubus.node.n1.ev.pods.core.default.p1", "kubus.ev.pods.core.a.b"]
)
async def test_answers_of_the_journal_reach_nobody_but_the_tap(certificates, tmp_path, victim):
    async with (
        a_server(certificates, tmp_path) as url,
        on_bus(url, certificates, identities.ADMIN_ON_BUS) as admin,
        on_bus(url, certificates, identities.RELAY) as relay,
        tap_on_bus(url, certificates) as (tap, _),
    ):
        await write_journal(relay, 1)
        heard = await admin.subscribe(victim)
        await admin.flush()
        for read in ("DIRECT.GET.JOURNAL", "STREAM.MSG.GET.JOURNAL"):
            await tap.publish(f"$JS.kubus.API.{read}", b'{"seq": 1}', reply=victim)
        await tap.flush()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(first(heard), 0.3)


def test_the_configuration_is_json_with_a_user_per_identity(tmp_path):
    files = nats_config.ServerFiles("n", "127.0.0.1", 1, tmp_path, tmp_path, tmp_path, tmp_path)
    users = json.loads(nats_config.render(files, nats_config.all_rights(NODES)))["accounts"]["KUBUS"]["users"]
    assert {each["user"] for each in users} == {user.distinguished_name for user in USERS}
