"""An apiserver as a process of its own over a real etcd, and the real kubectl in front of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from kubus.model.codec import from_json, to_json
from kubus.testing.etcd_server import etcd_server, free_port
from kubus_cli.identities import ADMIN, APISERVER
from kubus_cli.pki import (
    FRONT_PROXY,
    FRONT_PROXY_CA,
    Wanted,
    client_of,
    encryption_keys_file,
    ensure,
    ensure_encryption_keys,
    ensure_front_proxy,
)

NOBODY = "nobody"


class Result(NamedTuple):
    """What kubectl said."""

    code: int
    out: str
    err: str


class Apiserver:
    """A running apiserver and a kubectl that talks to it."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self.pid = 0

    async def kubectl(self, *arguments: str, stdin: str | bytes = "", user: str = ADMIN.user) -> Result:
        """Run kubectl to its end."""
        process = await self.start(*arguments, user=user)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        out, err = await asyncio.wait_for(process.communicate(data), 180)
        return Result(process.returncode or 0, out.decode(), err.decode())

    async def start(self, *arguments: str, user: str = ADMIN.user) -> asyncio.subprocess.Process:
        """Start kubectl."""
        pipe = asyncio.subprocess.PIPE
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.directory)}
        return await asyncio.create_subprocess_exec(
            "kubectl", "--context", user, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
        )

    async def object(self, *arguments: str) -> dict:
        """What `kubectl … -o json` prints."""
        result = await self.kubectl(*arguments, "-o", "json")
        assert result.code == 0, result.err
        return from_json(result.out)

    @property
    def kubeconfig(self) -> Path:
        """The file."""
        return self.directory / "kubeconfig"

    def write_kubeconfig(self) -> None:
        """Contexts for the administrator and for a user without rights."""
        users = [(ADMIN.user, ADMIN.file), (NOBODY, NOBODY)]
        cluster = {
            "server": f"https://127.0.0.1:{self.port}",
            "certificate-authority": str(self.directory / "ca.crt"),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate": str(self.directory / f"{file}.crt"),
                        "client-key": str(self.directory / f"{file}.key"),
                    },
                }
                for user, file in users
            ],
            "contexts": [{"name": user, "context": {"cluster": "test", "user": user}} for user, _ in users],
            "current-context": ADMIN.user,
        }
        self.kubeconfig.write_bytes(to_json(config))


@asynccontextmanager
async def running_apiserver(directory: Path, endpoint: str) -> AsyncIterator[Apiserver]:
    """An apiserver on an etcd, without a bus."""
    port = free_port()
    serving = Wanted("serving", "kube-apiserver", names=("127.0.0.1", "localhost"))
    ensure(
        directory,
        [client_of(ADMIN), client_of(APISERVER), Wanted(NOBODY, NOBODY, ("outsiders",)), serving],
        datetime.now(UTC),
    )
    ensure_front_proxy(directory, datetime.now(UTC))
    ensure_encryption_keys(directory)
    server = Apiserver(directory, port)
    server.write_kubeconfig()
    environment = {
        **os.environ,
        "KUBUS_IDENTITY": "system:apiserver",
        "KUBUS_ETCD_ENDPOINTS": endpoint,
        "KUBUS_NATS_URL": f"nats://127.0.0.1:{free_port()}",  # nobody there: HTTP must not care
        "KUBUS_RUN_DIR": str(directory),
        "KUBUS_LISTEN": f"127.0.0.1:{port}",
        "KUBUS_SERVING_CERT_FILE": str(directory / "serving.crt"),
        "KUBUS_SERVING_KEY_FILE": str(directory / "serving.key"),
        "KUBUS_ENCRYPTION_KEYS_FILE": str(encryption_keys_file(directory)),
        "KUBUS_CLIENT_CA_FILE": str(directory / "ca.crt"),
        "KUBUS_FRONT_PROXY_CERT_FILE": str(directory / f"{FRONT_PROXY}.crt"),
        "KUBUS_FRONT_PROXY_KEY_FILE": str(directory / f"{FRONT_PROXY}.key"),
        "KUBUS_FRONT_PROXY_CA_FILE": str(directory / f"{FRONT_PROXY_CA}.crt"),
    }
    with (directory / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kubus_apiserver", env=environment, stderr=log
        )
    server.pid = process.pid
    try:
        await _ready(server, process)
        yield server
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _ready(server: Apiserver, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(90):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.05)
    raise RuntimeError((server.directory / "log").read_text())


@pytest.fixture
async def apiserver(tmp_path: Path) -> AsyncIterator[Apiserver]:
    """An apiserver with nothing in it but what it makes itself."""
    async with etcd_server() as etcd, running_apiserver(tmp_path, etcd.endpoint) as server:
        yield server
