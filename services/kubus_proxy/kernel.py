"""The kernel: nftables by libnftables, routes by iproute2, in the node's network namespace.

The only module that imports nftables. A transaction takes 3-6 ms this way, against 30 ms by the `nft` command. Routes
change only when nodes come and go, so a process each is good enough.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nftables

from kubus.service.netns import NodeNamespace
from kubus_proxy.routes import PROTOCOL


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

    async def ip(self, *arguments: str) -> str:
        """What an `ip` command prints.

        Raises:
            KernelRefused
        """
        entering = ("nsenter", f"--net={self._netns}") if self._netns else ()
        process = await asyncio.create_subprocess_exec(
            *entering, "ip", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, error = await process.communicate()
        if process.returncode:
            raise KernelRefused(error.decode(errors="replace").strip())
        return output.decode()

    async def routes(self) -> dict[str, str]:
        """Destination → gateway of the routes that a proxy has made."""
        found = json.loads(await self.ip("-json", "route", "show", "proto", PROTOCOL) or "[]")
        return {route["dst"]: route.get("gateway", "") for route in found}

    def close(self) -> None:
        """End the namespace's thread."""
        self._namespace.close()
