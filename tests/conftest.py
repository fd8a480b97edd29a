"""Servers for the tests that need real ones; all private, on loopback, with temporary data."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from kubus.store.etcd import EtcdStore, connect
from kubus.testing.etcd_server import EtcdServer, etcd_server
from kubus.testing.nats_server import NatsServer, nats_server


@pytest.fixture
async def etcd() -> AsyncIterator[EtcdServer]:
    """An empty etcd."""
    async with etcd_server() as server:
        yield server


@pytest.fixture
async def etcd_store(etcd: EtcdServer) -> AsyncIterator[EtcdStore]:
    """A store on an empty etcd."""
    store = connect((etcd.endpoint,))
    yield store
    await store.aclose()


@pytest.fixture
async def nats() -> AsyncIterator[NatsServer]:
    """A nats-server with JetStream, which nobody has used."""
    async with nats_server() as server:
        yield server
