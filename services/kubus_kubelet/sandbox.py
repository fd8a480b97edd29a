"""A pod's sandbox: its network namespace, which the kubelet owns, and the wire to the node.

There is no infra container: `/run/netns/<uid>` outlives every container of the pod, and with it the pod's address.
The wire is a veth pair, routed, without a bridge:

    pod   eth0      <ip>/32, default via 169.254.1.1 (a permanent neighbour with the fixed MAC of the other end)
    node  kb<hash>  no address; route <ip>/32; alias = the pod's uid

The fixed neighbour does what proxy ARP is used for elsewhere, without its delay of up to 0.8 s and without a sysctl.
What becomes a line for `ip` is a parsed address or a name made here: one pod's uid is text of the API, and is checked.
All about a sandbox is read back from the kernel (alias and route), so a kubelet that starts anew knows every pod's
address. `ip -batch` makes one in two processes (measured: 14 ms).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import NamedTuple

from kubus.model.codec import from_json
from kubus_kubelet.podman_service import entered

NETNS_DIRECTORY = Path("/run/netns")
GATEWAY = "169.254.1.1"
NODE_MAC = "ee:ee:ee:ee:ee:ee"
DEVICE_PREFIX = "kb"
_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")


class SandboxError(Exception):
    """The kernel refused a part of the sandbox."""


class Wire(NamedTuple):
    """The node's end of a pod's network."""

    uid: str
    device: str
    address: IPv4Address | None
    """None as long as the node has no route to it."""


def is_uid(text: str) -> bool:
    """Whether a text can be a pod's uid: it names a file and is part of command lines."""
    return _UID.fullmatch(text) is not None


def device_of(uid: str) -> str:
    """The name of the node's end of a pod's wire (15 characters at most)."""
    return DEVICE_PREFIX + hashlib.sha256(uid.encode()).hexdigest()[:12]


def netns_path(uid: str) -> Path:
    """The network namespace of a pod."""
    return NETNS_DIRECTORY / uid


def namespace_stands(uid: str) -> bool:
    """Whether a pod's network namespace is there, and not only the file that it was mounted on."""
    return os.path.ismount(netns_path(uid))


def node_commands(uid: str, address: IPv4Address) -> list[str]:
    """What `ip` does in the node's namespace to make a sandbox.

    Raises:
        SandboxError: the uid is none.
    """
    if not is_uid(uid):
        raise SandboxError(f"{uid!r} is no uid")
    device = device_of(uid)
    return [
        f"netns add {uid}",
        f"link add {device} address {NODE_MAC} type veth peer name eth0 netns {uid}",
        f"link set {device} up alias {uid}",
        f"route replace {address}/32 dev {device}",
    ]


def pod_commands(address: IPv4Address) -> list[str]:
    """What `ip` does in the pod's namespace."""
    return [
        "link set lo up",
        f"addr add {address}/32 dev eth0",
        "link set eth0 up",
        f"neigh add {GATEWAY} lladdr {NODE_MAC} dev eth0 nud permanent",
        f"route add {GATEWAY} dev eth0",
        f"route add default via {GATEWAY} dev eth0",
    ]


def wires_of(links: list[dict[str, str]], routes: list[dict[str, str]]) -> list[Wire]:
    """The wires that `ip -json link` and `ip -json route` show."""
    addresses = {
        route["dev"]: _host(route["dst"]) for route in routes if route.get("dev", "").startswith(DEVICE_PREFIX)
    }
    return [
        Wire(link["ifalias"], link["ifname"], addresses.get(link["ifname"]))
        for link in links
        if link.get("ifname", "").startswith(DEVICE_PREFIX) and is_uid(link.get("ifalias", ""))
    ]


def _host(destination: str) -> IPv4Address | None:
    try:
        return IPv4Address(destination)
    except AddressValueError:  # a range
        return None


class Sandboxes:
    """Makes, finds and removes the sandboxes of one node."""

    def __init__(self, node_netns: str) -> None:
        self._netns = node_netns

    async def wires(self) -> list[Wire]:
        """Every sandbox that is wired to this node."""
        links, routes = await asyncio.gather(
            self._ip(self._netns, "-json", "-details", "link", "show", "type", "veth"),
            self._ip(self._netns, "-json", "route", "show", "scope", "link"),
        )
        return wires_of(from_json(links or b"[]"), from_json(routes or b"[]"))

    async def create(self, uid: str, address: IPv4Address) -> None:
        """Make a sandbox; what is left of an earlier one is removed first.

        Raises:
            SandboxError: the kernel refused; nothing is left.
        """
        commands = node_commands(uid, address)
        if netns_path(uid).exists():
            await self.remove(uid)
        try:
            await self._make(uid, commands, address)
        except SandboxError:
            await self.remove(uid)  # a wire outlives its namespace's name while processes are in it
            try:
                await self._make(uid, commands, address)
            except SandboxError:
                await self.remove(uid)
                raise

    async def _make(self, uid: str, commands: list[str], address: IPv4Address) -> None:
        await self._batch(self._netns, commands)
        await self._batch(str(netns_path(uid)), pod_commands(address))

    async def remove(self, uid: str) -> None:
        """Remove a sandbox or what is left of it; that there is none is not an error.

        Raises:
            SandboxError: its namespace is still there.
        """
        if not is_uid(uid):
            return  # it got none
        await self._batch(self._netns, [f"link del {device_of(uid)}", f"netns del {uid}"], force=True)
        if netns_path(uid).exists():
            raise SandboxError(f"the network namespace {uid} was not removed")

    async def _batch(self, netns: str, lines: list[str], *, force: bool = False) -> None:
        options = ("-force",) if force else ()
        try:
            await self._ip(netns, *options, "-batch", "-", text="\n".join(lines))
        except SandboxError:
            if not force:
                raise

    async def _ip(self, netns: str, *arguments: str, text: str = "") -> bytes:
        pipe = asyncio.subprocess.PIPE
        command = entered(netns, "ip", *arguments)
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            output, errors = await process.communicate(text.encode())
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()  # what follows may undo this, and must not be overtaken by it
            raise
        if process.returncode:
            raise SandboxError(errors.decode(errors="replace").strip() or f"{command} ended with {process.returncode}")
        return output
