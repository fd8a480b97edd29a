"""Two apiserver processes over one etcd, and clients of both."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.e2e.apiserver.conftest import Apiserver, running_apiserver

from kubus.testing.etcd_server import etcd_server
from kubus_cli.identities import ADMIN


class Client:
    """Asks one apiserver over HTTPS as the administrator."""

    def __init__(self, server: Apiserver, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.trust = ssl.create_default_context(cafile=str(server.directory / "ca.crt"))
        self.trust.load_cert_chain(server.directory / f"{ADMIN.file}.crt", server.directory / f"{ADMIN.file}.key")

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """(code, body)."""
        url = f"https://127.0.0.1:{self.server.port}{path}"
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else None
        async with self.session.request(method, url, json=body, ssl=self.trust, headers=headers) as answer:
            return answer.status, await answer.json()

    async def ok(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The body of an answer that has to be a success."""
        code, answer = await self(method, path, body)
        assert code < 300, answer
        return answer

    async def until(self, path: str) -> dict[str, Any]:
        """An object, once this server has it."""
        async with asyncio.timeout(90):
            while True:
                code, answer = await self("GET", f"{path}?resourceVersion=0")
                if code == 200:
                    return answer
                await asyncio.sleep(0.02)


@asynccontextmanager
async def two_apiservers(path: Path) -> AsyncIterator[tuple[Client, Client]]:
    """Clients of two apiservers on one etcd."""
    directories = [path / "one", path / "two"]
    for directory in directories:
        directory.mkdir()
    async with (
        etcd_server() as etcd,
        running_apiserver(directories[0], etcd.endpoint) as first,
        running_apiserver(directories[1], etcd.endpoint) as second,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session,
    ):
        clients = Client(first, session), Client(second, session)
        for client in clients:
            await client.until("/api/v1/namespaces/default")
        yield clients


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Client, Client]]:
    """Clients of two apiservers on one etcd."""
    async with two_apiservers(tmp_path) as clients:
        yield clients
