"""Where the members of a cluster are (`10.0.0.1:2379`, `https://etcd-0:2379`, `[::1]:2379`), and how they are known."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM. `server_name`: the name in the members' certificates, where it is not the endpoints'."""

    ca_file: str
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""

    def context(self) -> ssl.SSLContext:
        """The files as they are now: what has been renewed is used from the next connection on.

        Raises:
            OSError: one cannot be read, or is not what it should be.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file)
        context.set_alpn_protocols(["h2"])
        return context


class Endpoint(NamedTuple):
    """A member as it was told to us; its host may be a name with many addresses."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Address(NamedTuple):
    """One address of an endpoint."""

    ip: str
    endpoint: Endpoint


def parse(text: str) -> Endpoint:
    """An endpoint out of its text; a scheme before it is passed over.

    Raises:
        ValueError: it is none.
    """
    host, _, port = text.removeprefix("https://").removeprefix("http://").rstrip("/").rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit():
        raise ValueError(f"{text!r} is not an endpoint: HOST:PORT is")
    return Endpoint(host, int(port))


async def addresses_of(endpoints: tuple[Endpoint, ...]) -> list[Address]:
    """All addresses of all endpoints, in order.

    Raises:
        OSError: there are none.
    """
    found: list[Address] = []
    unknown = OSError("no endpoints")
    for endpoint in endpoints:
        try:
            found += [Address(ip, endpoint) for ip in await _ips(endpoint)]
        except OSError as error:
            unknown = OSError(f"{endpoint}: {error}")
    if not found:
        raise unknown
    return found


async def _ips(endpoint: Endpoint) -> list[str]:
    try:
        return [str(ipaddress.ip_address(endpoint.host))]  # no thread for what needs none
    except ValueError:
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(info[4][0]) for info in infos))
