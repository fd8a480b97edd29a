"""Servers for the tests that need real ones; all private, on loopback, with temporary data.

Each process that runs tests has a reaper (tests/reaper.py). Where everything is installed, which is what CI=true says,
a test that is skipped counts as failed: a missing program must not be able to look green. Programs of the `.venv` come
first in the PATH, so that the tests run the locked kubectl.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.reaper import REAPER

from kubus.store.etcd import EtcdStore, connect
from kubus.testing.etcd_server import EtcdServer, etcd_server
from kubus.testing.nats_server import NatsServer, nats_server

# No property asserts a duration: a loaded machine may take any time to draw and to run an example.
settings.register_profile("kubus", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kubus")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare a process that runs tests; xdist's controller runs none."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        REAPER.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skipped test as failed in CI."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where nothing may be missing: {report.longreprtext}"
    return report


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
