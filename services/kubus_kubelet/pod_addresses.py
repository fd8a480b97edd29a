"""Which pod has which address and sandbox, kept in step with the kernel."""

from __future__ import annotations

import asyncio

from kubus_kubelet.addresses import next_address
from kubus_kubelet.sandbox import SandboxError, Sandboxes, netns_path


class PodAddresses:
    """Gives and takes the sandboxes of a node; what exists is read from the kernel once, at the start."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes
        self._by_uid: dict[str, str] = {}
        self._last = ""
        self._cidr = ""
        self._known_cidr = asyncio.Event()

    async def read(self) -> None:
        """Learn what stands."""
        wires = await self._sandboxes.wires()
        self._by_uid = {wire.uid: wire.address for wire in wires if wire.address and netns_path(wire.uid).exists()}

    def set_range(self, pod_cidr: str) -> None:
        """The node's pod range, as soon as the controllers gave it one."""
        self._cidr = pod_cidr
        self._known_cidr.set()

    def address(self, uid: str) -> str:
        """The address of a pod whose sandbox stands; "" of others."""
        return self._by_uid.get(uid, "")

    def uids(self) -> set[str]:
        """Every pod with a sandbox."""
        return set(self._by_uid)

    async def give(self, uid: str) -> str:
        """The address of a pod; its sandbox is made if it does not stand.

        Raises:
            SandboxError: the kernel refused, or the range is unknown for too long.
            RangeExhausted
        """
        if uid in self._by_uid:
            return self._by_uid[uid]
        try:
            async with asyncio.timeout(10):
                await self._known_cidr.wait()
        except TimeoutError:
            raise SandboxError("the node has no pod range (spec.podCIDR) yet") from None
        address = next_address(self._cidr, set(self._by_uid.values()), self._last)
        self._by_uid[uid] = self._last = address
        try:
            await self._sandboxes.create(uid, address)
        except BaseException:
            del self._by_uid[uid]
            raise
        return address

    async def take(self, uid: str) -> None:
        """Remove a pod's sandbox; that there is none is not an error."""
        await self._sandboxes.remove(uid)
        self._by_uid.pop(uid, None)
