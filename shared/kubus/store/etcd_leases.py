"""Leases under which the notes of deletes stand.

A note is read by the relay within milliseconds and only has to outlive a relay that is being restarted. All notes of a
few seconds share one lease, so that a delete costs no lease of its own; a lease takes a bounded number of notes,
because etcd deletes all keys of a lease in one revision, and that is one answer to every watcher.
"""

from __future__ import annotations

import asyncio

from kubus.store.etcd_rpc import Rpc

TTL_SECONDS = 150
WINDOW_SECONDS = 20.0
NOTES_A_LEASE = 2000


class NoteLeases:
    """The lease for the next note, granted when needed. Nothing renews it: it is meant to end."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._lease = 0
        self._granted_at = 0.0
        self._notes = 0
        self._granting = asyncio.Lock()

    async def current(self) -> int:
        """A lease that lasts two minutes at least."""
        if self._is_worn():
            async with self._granting:
                if self._is_worn():
                    asked_at = asyncio.get_running_loop().time()
                    self._lease = await self._rpc.grant(TTL_SECONDS)
                    self._granted_at, self._notes = asked_at, 0
        self._notes += 1
        return self._lease

    def forget(self) -> None:
        """The lease is gone: grant another for the next note."""
        self._lease = 0

    def _is_worn(self) -> bool:
        age = asyncio.get_running_loop().time() - self._granted_at
        return self._lease == 0 or age > WINDOW_SECONDS or self._notes >= NOTES_A_LEASE
