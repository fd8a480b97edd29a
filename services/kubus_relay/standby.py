"""Which of several relays publishes: the one whose Lease it is, and in doubt all of them.

Two relays that publish at once do no harm: their messages are the same, subscribers drop what is not newer, and the
journal takes each event once. So the Lease only spares the second one its work, and the rule is milder than that of
other leaders: a relay stands by while it *sees* another one hold the Lease, and publishes otherwise. It needs no
apiserver to begin, and none to go on. A relay that cannot follow the store lets its Lease run out, since another one
may be better placed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random

from kubus.client import Client
from kubus.machinery.leases import Observed, Terms, claim, observe, released, terms_of
from kubus.model.errors import StatusError
from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.objects import Object, path_of
from kubus.model.times import Clock

LEASE = "kubus-relay"
LEASE_SECONDS = 8
"""How long a second relay waits when the first has gone without a word."""
LOOK_SECONDS = 3.0


def standby_terms(instance: str, random: Random) -> Terms:
    """Terms of a relay that may be started again under the same name."""
    return replace(terms_of(LEASE, instance, random), lease_seconds=LEASE_SECONDS, retry_seconds=LOOK_SECONDS)


class Standby:
    """Stands for the relays' Lease, and publishes unless another holds it.

    `able`: whether the work, while it is under way, gets anywhere.
    """

    def __init__(self, client: Client, clock: Clock, terms: Terms, *, able: Callable[[], bool]) -> None:
        self._client = client
        self._clock = clock
        self._able = able
        self._terms = terms
        self._inherits = True
        self._observed: Observed | None = None
        self._held: Object | None = None

    async def run(self, work: Callable[[], Awaitable[None]], *, on_waiting: Callable[[str], None]) -> None:
        """Work whenever no other relay is seen to, until cancelled. `on_waiting` hears what a stand-by waits for."""
        try:
            while True:
                if not await self.may_work():
                    on_waiting(f"waits for the lease {LEASE}")
                    await self._until_free()
                async with asyncio.TaskGroup() as tasks:
                    working = tasks.create_task(_run(work))
                    await self._until_taken()
                    working.cancel()
        finally:
            await self._release()

    async def _until_free(self) -> None:
        while not await self.may_work():  # noqa: ASYNC110  # what is waited for happens in the apiserver
            await asyncio.sleep(LOOK_SECONDS)

    async def _until_taken(self) -> None:
        while await self.may_work(renew=self._able()):  # noqa: ASYNC110  # as above
            await asyncio.sleep(LOOK_SECONDS)

    async def may_work(self, *, renew: bool = True) -> bool:
        """Look at the Lease, take or renew it if it is to be had; False while another one holds it."""
        try:
            lease = await self._read()
            now = self._clock.monotonic()  # after the look: what it showed was true then at the earliest
            if lease is not None:
                self._observed = observe(lease, self._observed, now)
            wanted = claim(lease, self._observed, self._terms, now, self._clock.now(), inherit=self._inherits)
            if wanted is None:
                self._held, self._inherits = None, False
                return False
            if not renew:
                return True
            self._held = await (self._client.create if lease is None else self._client.update)(LEASES, wanted)
            self._inherits = False
        except StatusError as error:
            return error.code != 409  # a conflict: another one was faster, look again; else there is nobody to ask
        return True

    async def _read(self) -> Object | None:
        try:
            return await self._client.get(LEASES, self._terms.namespace, LEASE)
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    async def _release(self) -> None:
        """Give the Lease back, so that a stand-by need not wait for its end."""
        if self._held is None or path_of(self._held, "spec", "holderIdentity") != self._terms.holder:
            return
        try:
            async with asyncio.timeout(1):
                await self._client.update(LEASES, released(self._held, self._terms, self._clock.now()))
        except (StatusError, TimeoutError):
            return  # it runs out by itself


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
