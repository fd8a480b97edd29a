"""Which pod has which address and sandbox, kept in step with the kernel."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv4Network

from kubus_kubelet.addresses import next_address, to_pod_range
from kubus_kubelet.sandbox import SandboxError, Sandboxes, namespace_stands


class PodAddresses:
    """Gives and takes the sandboxes of a node; what exists is read from the kernel once, at the start."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes
        self._by_uid: dict[str, IPv4Address] = {}
        self._partial: set[str] = set()
        self._changing: set[str] = set()
        self._last: IPv4Address | None = None
        self._range: IPv4Network | None = None
        self._known_range = asyncio.Event()

    async def read(self) -> None:
        """Learn what stands."""
        wires = await self._sandboxes.wires()
        self._by_uid = {
            wire.uid: wire.address for wire in wires if wire.address is not None and namespace_stands(wire.uid)
        }
        self._partial = {wire.uid for wire in wires} - set(self._by_uid)

    def set_range(self, pod_cidr: str) -> None:
        """The node's pod range, as soon as the controllers gave it one; what is no range is none."""
        self._range = to_pod_range(pod_cidr)
        if self._range is not None:
            self._known_range.set()

    def address(self, uid: str) -> str:
        """The address of a pod whose sandbox stands; "" of others."""
        return str(self._by_uid.get(uid, ""))

    def uids(self) -> set[str]:
        """Every pod with a sandbox, or with what is left of one."""
        return set(self._by_uid) | self._partial

    async def lost(self) -> set[str]:
        """Pods whose sandbox no longer stands, though nobody here has taken it.

        Raises:
            SandboxError
        """
        before = {uid: address for uid, address in self._by_uid.items() if uid not in self._changing}
        wires = {wire.uid: wire.address for wire in await self._sandboxes.wires()}
        return {
            uid
            for uid, address in before.items()
            if self._by_uid.get(uid) == address
            and uid not in self._changing
            and (wires.get(uid) != address or not namespace_stands(uid))
        }

    async def give(self, uid: str) -> str:
        """The address of a pod; its sandbox is made if it does not stand.

        Raises:
            SandboxError: the kernel refused, or the range is unknown for too long.
            RangeExhausted
        """
        if uid in self._by_uid:
            return str(self._by_uid[uid])
        try:
            async with asyncio.timeout(10):
                await self._known_range.wait()
        except TimeoutError:
            raise SandboxError("the node has no pod range (spec.podCIDR) yet") from None
        assert self._range is not None, "known_range is set after it"
        address = next_address(self._range, set(self._by_uid.values()), self._last)
        self._by_uid[uid] = self._last = address
        self._changing.add(uid)
        try:
            await self._sandboxes.create(uid, address)
        except BaseException:
            del self._by_uid[uid]
            raise
        finally:
            self._changing.discard(uid)
        return str(address)

    async def take(self, uid: str) -> None:
        """Remove a pod's sandbox; that there is none is not an error.

        Raises:
            SandboxError: it is still there.
        """
        self._changing.add(uid)
        try:
            await self._sandboxes.remove(uid)
        finally:
            self._changing.discard(uid)
        self._by_uid.pop(uid, None)
        self._partial.discard(uid)
