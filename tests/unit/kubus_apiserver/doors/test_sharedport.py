"""A port is shared by the apiservers of one cluster."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubus.testing.certificates import Authority
from kubus.testing.etcd_server import free_port
from kubus_apiserver.doors.sharedport import PortTaken, require_own_port


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    directory = tmp_path / "ours"
    directory.mkdir()
    return Authority(directory)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Authority]:
    directory = tmp_path / "theirs"
    directory.mkdir()
    return Authority(directory)


@asynccontextmanager
async def listening(authority: Authority | None):
    async def serve(reader, writer):
        await reader.read()
        writer.close()

    tls = None
    if authority is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*authority.issue("apiserver", hosts=("10.96.0.1",)))
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls, reuse_port=True) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_port_on_which_nobody_listens_may_be_had(ours: Authority, host: str) -> None:
    await require_own_port(host, free_port(), [Path(ours.ca_file)])


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_apiservers_of_a_cluster_share_a_port(ours: Authority, theirs: Authority, host: str) -> None:
    async with listening(ours) as port:
        await require_own_port(host, port, [Path(theirs.ca_file), Path(ours.ca_file)])


async def test_another_clusters_port_is_not_shared(ours: Authority, theirs: Authority) -> None:
    async with listening(theirs) as port:
        with pytest.raises(PortTaken, match=f"port {port} of 127.0.0.1 is in use, not by an apiserver of this cluster"):
            await require_own_port("127.0.0.1", port, [Path(ours.ca_file)])


async def test_without_certificates_no_port_is_shared(ours: Authority) -> None:
    async with listening(None) as port:
        with pytest.raises(PortTaken, match="certificates"):
            await require_own_port("127.0.0.1", port, [])


async def test_a_server_that_speaks_no_tls_is_not_a_sibling(ours: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    from kubus_apiserver.doors import sharedport

    monkeypatch.setattr(sharedport, "_ANSWER_SECONDS", 0.2)
    async with listening(None) as port:
        with pytest.raises(PortTaken):
            await require_own_port("127.0.0.1", port, [Path(ours.ca_file)])
