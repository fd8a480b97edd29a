"""One lease for the notes of a while."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from kubus.store.etcd_leases import KEYS_A_LEASE, NOTE_WINDOW_SECONDS, SharedLeases
from kubus.store.etcd_rpc import Rpc
from kubus.testing.clock import simulate


class Grants:
    """Grants leases 1, 2, 3, …, each after a moment."""

    def __init__(self) -> None:
        self.granted = 0

    async def grant(self, ttl_seconds: int) -> int:
        await asyncio.sleep(0.01)
        self.granted += 1
        return self.granted


def leases() -> SharedLeases:
    return SharedLeases(cast(Rpc, Grants()), 130, window_seconds=NOTE_WINDOW_SECONDS)


def told(story: Any) -> Any:
    return simulate(story)


def test_deletes_at_once_share_one_lease():
    async def story() -> set[int]:
        some = leases()
        return set(await asyncio.gather(*(some.current() for _ in range(50))))

    assert told(story()) == {1}


def test_a_window_later_there_is_a_new_lease():
    async def story() -> list[int]:
        some = leases()
        first = await some.current()
        await asyncio.sleep(NOTE_WINDOW_SECONDS + 1)
        return [first, await some.current(), await some.current()]

    assert told(story()) == [1, 2, 2]


def test_a_lease_takes_a_bounded_number_of_notes():
    async def story() -> list[int]:
        some = leases()
        return [await some.current() for _ in range(KEYS_A_LEASE + 1)]

    assert told(story()) == [1] * KEYS_A_LEASE + [2]


def test_a_forgotten_lease_is_replaced():
    async def story() -> list[int]:
        some = leases()
        first = await some.current()
        some.forget()
        return [first, await some.current()]

    assert told(story()) == [1, 2]
