"""The private etcd of tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubus.store.etcd import connect
from kubus.testing.etcd_server import etcd_server


async def test_a_restarted_etcd_has_its_data_and_its_port():
    async with etcd_server() as server:
        store = connect((server.endpoint,))
        created = await store.create("/k/a", b"one")
        first = server.pid
        await server.kill()
        assert server.pid == 0
        await server.start()
        assert server.pid not in (0, first)
        assert (await store.get("/k/a")).revision == created
        await store.aclose()


async def test_it_is_gone_afterwards_unless_the_data_is_the_callers(tmp_path: Path):
    async with etcd_server(tmp_path / "etcd") as server:
        pid = server.pid
    assert server.pid == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert os.listdir(tmp_path / "etcd") == ["member"]  # noqa: PTH208  # a Path's methods are not for coroutines
