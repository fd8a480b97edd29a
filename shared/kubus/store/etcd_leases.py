"""Leases under which keys stand that are meant to end: the notes of deletes, and Events.

Nothing renews a lease. All keys of some time share one, so that a write costs no lease of its own (as Kubernetes' lease
manager does it); a lease takes a bounded number of keys, because etcd deletes all keys of a lease in one revision, and
that is one answer to every watcher.
"""

from __future__ import annotations

import asyncio

from kubus.store.etcd_rpc import Rpc

NOTE_SECONDS = 130
"""A note is read by the relay within milliseconds and only has to outlive a relay that is being restarted."""
NOTE_WINDOW_SECONDS = 20
_WINDOW_SECONDS_MAX = 60
_WINDOW_SHARE = 20
KEYS_A_LEASE = 2000


class SharedLeases:
    """The lease for the next key of a time to live, granted when needed."""

    def __init__(self, rpc: Rpc, ttl_seconds: int, *, window_seconds: int | None = None) -> None:
        self._rpc = rpc
        self._ttl_seconds = ttl_seconds
        shared = min(_WINDOW_SECONDS_MAX, ttl_seconds // _WINDOW_SHARE)
        self._window_seconds = shared if window_seconds is None else window_seconds
        self._lease = 0
        self._granted_at = 0.0
        self._keys = 0
        self._granting = asyncio.Lock()

    async def current(self) -> int:
        """A lease that lasts for the time to live at least."""
        if self._is_worn():
            async with self._granting:
                if self._is_worn():
                    asked_at = asyncio.get_running_loop().time()
                    self._lease = await self._rpc.grant(self._ttl_seconds + self._window_seconds)
                    self._granted_at, self._keys = asked_at, 0
        self._keys += 1
        return self._lease

    def forget(self) -> None:
        """The lease is gone: grant another for the next key."""
        self._lease = 0

    def _is_worn(self) -> bool:
        age = asyncio.get_running_loop().time() - self._granted_at
        return self._lease == 0 or age > self._window_seconds or self._keys >= KEYS_A_LEASE
