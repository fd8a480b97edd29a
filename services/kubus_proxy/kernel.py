"""The kernel: nftables by libnftables, routes by iproute2, in the node's network namespace.

The only module that imports nftables, and the one place where routes become arguments of a command. A transaction takes
3-6 ms this way, against 30 ms by the `nft` command. Routes change only when nodes come and go, so a process each is
good enough.
"""

from __future__ import annotations

import asyncio
import json
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

import nftables

from kubus.service.netns import NodeNamespace
from kubus_proxy.routes import PROTOCOL, RemoveRoute, Routes, SetRoute


class KernelRefused(Exception):
    """The kernel did not take a transaction or a route; the message is nft's or ip's own."""


class Kernel:
    """One network namespace's packet rules and routes."""

    def __init__(self, netns: str) -> None:
        self._netns = netns
        self._namespace = NodeNamespace(netns)
        self._nft: Any = None

    async def transact(self, commands: str) -> None:
        """Carry out nft commands, all or none.

        Raises:
            KernelRefused
        """
        code, error = await self._namespace.run(lambda: self._command(commands))
        if code:
            raise KernelRefused(error.strip() or f"nft ended with {code}")

    def _command(self, commands: str) -> tuple[int, str]:
        if self._nft is None:  # here: its netlink socket has to be made in the namespace
            self._nft = nftables.Nftables()
        code, _, error = self._nft.cmd(commands)
        return int(code), str(error)

    async def change_route(self, change: SetRoute | RemoveRoute) -> None:
        """Set or remove a route.

        Raises:
            KernelRefused
        """
        await self._ip(*route_arguments(change))

    async def has_default_route(self) -> bool:
        """Whether there is a route to everywhere.

        Raises:
            KernelRefused
        """
        return bool((await self._ip("-4", "route", "show", "default")).strip())

    async def routes(self) -> Routes:
        """The routes that a proxy has made.

        Raises:
            KernelRefused
        """
        return found_routes(await self._ip("-json", "-4", "route", "show", "proto", str(PROTOCOL)))

    async def _ip(self, *arguments: str) -> str:
        entering = ("nsenter", f"--net={self._netns}") if self._netns else ()
        process = await asyncio.create_subprocess_exec(
            *entering, "ip", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, error = await process.communicate()
        if process.returncode:
            raise KernelRefused(error.decode(errors="replace").strip())
        return output.decode()

    def close(self) -> None:
        """End the namespace's thread."""
        self._namespace.close()


def route_arguments(change: SetRoute | RemoveRoute) -> tuple[str, ...]:
    """The arguments of `ip` for a change."""
    if isinstance(change, RemoveRoute):
        return ("route", "del", str(change.destination), "proto", str(PROTOCOL))
    return ("route", "replace", str(change.destination), "via", str(change.gateway), "proto", str(PROTOCOL))


def found_routes(printed: str) -> Routes:
    """The routes that `ip -json route` printed."""
    found: dict[IPv4Network, IPv4Address | None] = {}
    for route in json.loads(printed or "[]"):
        destination = "0.0.0.0/0" if route["dst"] == "default" else route["dst"]
        try:
            gateway = IPv4Address(route["gateway"]) if "gateway" in route else None
        except AddressValueError:
            gateway = None
        found[IPv4Network(destination)] = gateway
    return found
