"""Requests over the wire as bytes, because what is asked here no client library would send or show."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import NamedTuple


class Got(NamedTuple):
    """An answer as it came."""

    code: int
    headers: dict[str, list[str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first of a name, or ""."""
        return self.headers.get(name.lower(), [""])[0]


def tls_of(directory: Path, file: str) -> ssl.SSLContext:
    """TLS as the user whose certificate is in a file."""
    tls = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    tls.load_cert_chain(directory / f"{file}.crt", directory / f"{file}.key")
    tls.check_hostname = False
    return tls


class Wire:
    """A connection that asks one thing after another."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        self._port = port
        self._tls = tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, line: str, body: bytes = b"", *, version: str = "1.1", headers: dict[str, str] | None = None
    ) -> Got:
        """The answer to `GET /path`."""
        fields = {"Host": "x", **(headers or {})}
        if body:
            fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **fields}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._tls, limit=2**23)
        reader, writer = self._streams
        writer.write(f"{line} HTTP/{version}\r\n{head}\r\n".encode() + body)
        async with asyncio.timeout(90):
            got = _head(await reader.readuntil(b"\r\n\r\n"))
            length = int(got.header("Content-Length") or 0)
            if length and not line.startswith("HEAD"):
                got = got._replace(body=await reader.readexactly(length))
        if got.header("Connection") == "close":
            self.close()
        return got

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
        self._streams = None


def _head(data: bytes) -> Got:
    first, *lines = data.decode("utf-8").split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.lower(), []).append(value.strip())
    return Got(int(first.split()[1]), headers, b"")
