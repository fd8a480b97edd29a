"""The one-shot that gives etcd its users, with the certificates that a cluster has."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from kubus.service import Settings
from kubus.service.life import EXIT_CONFIG
from kubus.service.settings import environment
from kubus.store import StoreError, Unavailable
from kubus.store.etcd import Tls, connect
from kubus.testing.etcd_server import ServerTls, etcd_server
from kubus_apiserver import etcd_access
from kubus_cli import identities, pki

NOW = datetime.now(UTC)


def settings(directory, endpoint, file):
    return Settings(
        identity="root",
        etcd_endpoints=(endpoint,),
        etcd_ca_file=directory / "etcd-ca.crt",
        etcd_cert_file=directory / f"{file}.crt",
        etcd_key_file=directory / f"{file}.key",
    )


def tls_files(directory, file):
    return (str(directory / "etcd-ca.crt"), str(directory / f"{file}.crt"), str(directory / f"{file}.key"))


@pytest.fixture
async def etcd(tmp_path):
    pki.ensure_etcd(tmp_path, ("localhost", "127.0.0.1"), NOW)
    people = (
        *identities.ON_BUS,
        identities.ADMIN,
        identities.kubelet("n1"),
        identities.Identity("system:apiserver", "impostor"),
    )
    pki.ensure(tmp_path, [pki.client_of(each) for each in people], NOW)
    ca, cert, key = tls_files(tmp_path, "etcd")
    client = Tls(*tls_files(tmp_path, "etcd-root"))
    async with etcd_server(tls=ServerTls(ca, cert, key, client)) as running:
        await etcd_access.ensure(settings(tmp_path, running.endpoint, "etcd-root"))
        yield running


def store(etcd, directory, file):
    return connect((etcd.endpoint,), tls=Tls(*tls_files(directory, file)))


async def test_the_apiserver_writes_and_the_relay_reads_only(etcd, tmp_path):
    apiserver, relay = store(etcd, tmp_path, "etcd-apiserver"), store(etcd, tmp_path, "etcd-relay")
    await apiserver.create("/kubus/a", b"1")
    assert (await relay.get("/kubus/a")).value == b"1"
    with pytest.raises(StoreError, match="permission denied"):
        await relay.create("/kubus/b", b"1")
    await asyncio.gather(apiserver.aclose(), relay.aclose())


@pytest.mark.parametrize("file", ["admin", "kubelet-n1", "relay", "apiserver", "impostor"])
async def test_no_certificate_of_the_common_authority_reaches_etcd(etcd, tmp_path, file):
    stranger = store(etcd, tmp_path, file)
    for attack in (stranger.get("/kubus/a"), stranger.create("/kubus/a", b"mine")):
        with pytest.raises(Unavailable, match="alert"):
            await attack
    await stranger.aclose()


async def test_the_servers_own_certificate_may_do_nothing(etcd, tmp_path):
    member = store(etcd, tmp_path, "etcd")
    with pytest.raises(StoreError, match=r"permission denied|user name not found"):
        await member.create("/kubus/a", b"mine")
    await member.aclose()


async def test_it_may_run_again_but_not_under_another_certificate(etcd, tmp_path):
    assert await asyncio.to_thread(_main, tmp_path, etcd.endpoint, "etcd-root") == 0
    assert await asyncio.to_thread(_main, tmp_path, etcd.endpoint, "etcd-relay") == 1


def _main(directory, endpoint, file):
    return etcd_access.main(environment(settings(directory, endpoint, file)))


def test_without_an_identity_it_says_what_is_missing(capsys):
    assert etcd_access.main({}) == EXIT_CONFIG
    assert "KUBUS_IDENTITY" in capsys.readouterr().err
