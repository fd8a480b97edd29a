"""A private etcd for tests: on loopback, on free ports, gone when the test is.

It runs without fsync, so killing it loses nothing as long as the machine stays up: `kill` and `restart` show what a
crash of the process does to its clients.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kubus.store import StoreError
from kubus.store.etcd import Tls, connect

_START_SECONDS = 20


@dataclass(frozen=True, slots=True)
class ServerTls:
    """Certificates of the server, and those with which a client is let in (PEM files)."""

    ca_file: str
    cert_file: str
    key_file: str
    client: Tls


class EtcdServer:
    """A running etcd. `kill` and `restart` keep its data and its ports."""

    def __init__(self, data_dir: Path, tls: ServerTls | None = None, quota_bytes: int = 0) -> None:
        self._data_dir = data_dir
        self._tls = tls
        self._quota_bytes = quota_bytes
        self._client_port, self._peer_port = free_port(), free_port()
        self._process: asyncio.subprocess.Process | None = None
        self.endpoint = f"127.0.0.1:{self._client_port}"
        self.name = f"etcd-{self._peer_port}"
        self.peer = f"http://127.0.0.1:{self._peer_port}"
        self.members: tuple[EtcdServer, ...] = (self,)
        """Of its cluster."""

    @property
    def pid(self) -> int:
        """The process, if it runs; else 0."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    async def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(*self._command(), stderr=asyncio.subprocess.DEVNULL)
        store = connect((self.endpoint,), tls=self._tls.client if self._tls else None)
        try:
            async with asyncio.timeout(_START_SECONDS):
                while True:
                    if self._process.returncode is not None:
                        raise RuntimeError(f"etcd ended with {self._process.returncode}")
                    try:
                        await store.revision()
                        return
                    except StoreError:
                        await asyncio.sleep(0.05)
        finally:
            await store.aclose()

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it in order."""
        await self._end(signal.SIGTERM)

    async def restart(self) -> None:
        """Start it again on the same data and ports; killed first if it still runs."""
        await self.kill()
        await self.start()

    async def _end(self, with_signal: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(with_signal)
            await self._process.wait()

    def _command(self) -> list[str]:
        scheme = "https" if self._tls else "http"
        command = [
            shutil.which("etcd") or "/usr/bin/etcd",
            f"--name={self.name}",
            f"--data-dir={self._data_dir}",
            f"--listen-client-urls={scheme}://{self.endpoint}",
            f"--advertise-client-urls={scheme}://{self.endpoint}",
            f"--listen-peer-urls={self.peer}",
            f"--initial-advertise-peer-urls={self.peer}",
            f"--initial-cluster={','.join(f'{member.name}={member.peer}' for member in self.members)}",
            "--unsafe-no-fsync",
            "--heartbeat-interval=20",  # a single member elects itself after the election timeout: start fast
            "--election-timeout=100",
            "--log-level=error",
            f"--quota-backend-bytes={self._quota_bytes}",
        ]
        if self._tls is not None:
            command += [
                f"--cert-file={self._tls.cert_file}",
                f"--key-file={self._tls.key_file}",
                f"--trusted-ca-file={self._tls.ca_file}",
                "--client-cert-auth",
            ]
        return command


@asynccontextmanager
async def etcd_server(
    data_dir: Path | None = None, tls: ServerTls | None = None, quota_bytes: int = 0
) -> AsyncIterator[EtcdServer]:
    """An etcd on a data directory (None: a temporary one), ready; killed at the end. `quota_bytes` 0: etcd's own."""
    with tempfile.TemporaryDirectory(prefix="kubus-etcd-") as scratch:
        server = EtcdServer(data_dir or Path(scratch) / "data", tls, quota_bytes)
        try:
            await server.start()
            yield server
        finally:
            await server.kill()


@asynccontextmanager
async def etcd_cluster(size: int) -> AsyncIterator[tuple[EtcdServer, ...]]:
    """A cluster of several members, ready; killed at the end."""
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubus-etcd-")))
        members = tuple(EtcdServer(scratch / str(each)) for each in range(size))
        for member in members:
            member.members = members
            stack.push_async_callback(member.kill)
        await asyncio.gather(*(member.start() for member in members))
        yield members


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
