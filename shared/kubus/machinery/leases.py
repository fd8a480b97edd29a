"""Leader election by Leases (coordination.k8s.io/v1), after client-go's leaderelection.

A candidate believes a Lease held for as long as it sees the holder change something. It never compares a time in
the Lease with its own clock: it notes, by its monotonic clock, when it last saw the record change, and takes the
Lease over when nothing has changed for the whole duration. A clock that jumps, here or there, does no harm.

Taking over, like renewing, is an update under the Lease's resourceVersion: of two candidates one gets a Conflict.
Each change of holder counts `leaseTransitions` up. Holder and count are the leader's fence token: the apiserver
compares them in the transaction of every write, so that a leader that was asleep cannot write once another has taken
over, whatever it believes.

A process that was killed and started again under the same name takes over from its predecessor at once, in a new term:
it need not wait for its own ghost, and should the predecessor be alive after all, that one's writes are refused.

A leader that has not managed to renew for `renew_seconds` stops its work, before the Lease runs out for the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

from kubus.client import Client, FenceToken
from kubus.model.errors import StatusError
from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.objects import Object, path_of, uid_of
from kubus.model.times import Clock, rfc3339_micro

_log = logging.getLogger(__name__)
_SUFFIX = "_"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is stood for, and how patiently; the times are Kubernetes' own."""

    name: str
    """`kube-scheduler`."""
    holder: str
    """This candidate, different from every other one."""
    instance: str = ""
    """What of `holder` a restart keeps: a holder that is this and a suffix was this process before it was killed."""
    namespace: str = "kube-system"
    lease_seconds: int = 15
    """How long others wait for a sign of life."""
    renew_seconds: float = 10.0
    """How long a leader works on without a renewal; less than `lease_seconds`."""
    retry_seconds: float = 2.0
    """How often a leader renews and a candidate looks."""


def terms_of(name: str, instance: str, random: Random) -> Terms:
    """Terms of a process that may be started again under the same name, and be told from what it was before."""
    return Terms(name, f"{instance}{_SUFFIX}{random.getrandbits(64):016x}", instance)


class Observed(NamedTuple):
    """What a candidate has seen of the Lease, and when it last changed by its own monotonic clock."""

    record: tuple[str, Any, Any, Any]
    """(uid, holder, renewTime, leaseTransitions)."""
    since: float


def observe(lease: Object, before: Observed | None, now: float) -> Observed:
    """What is known after another look at the Lease."""
    spec = lease.get("spec") or {}
    record = (uid_of(lease), spec.get("holderIdentity"), spec.get("renewTime"), spec.get("leaseTransitions"))
    return before if before is not None and before.record == record else Observed(record, now)


def is_predecessor(holder: str, terms: Terms) -> bool:
    """True if a holder is the process that ran under this candidate's name before."""
    return bool(terms.instance) and holder != terms.holder and holder.rpartition(_SUFFIX)[0] == terms.instance


def claim(
    lease: Object | None,
    observed: Observed | None,
    terms: Terms,
    now: float,
    wall: datetime,
    *,
    inherit: bool = False,
) -> Object | None:
    """The Lease to write to get or keep it; None while another one holds it. `inherit`: at once from a predecessor."""
    moment = rfc3339_micro(wall)
    spec = {"holderIdentity": terms.holder, "leaseDurationSeconds": terms.lease_seconds, "renewTime": moment}
    if lease is None:
        meta = {"name": terms.name, "namespace": terms.namespace}
        spec |= {"acquireTime": moment, "leaseTransitions": 0}
        return {"apiVersion": LEASES.api_version, "kind": LEASES.name, "metadata": meta, "spec": spec}
    old = lease.get("spec") or {}
    if old.get("holderIdentity") == terms.holder:
        return {**lease, "spec": {**old, **spec}}
    holder = str(old.get("holderIdentity") or "")
    inherited = inherit and is_predecessor(holder, terms)
    if holder and not inherited and not _is_over(old, observed, now):
        return None
    spec |= {"acquireTime": moment, "leaseTransitions": int(old.get("leaseTransitions") or 0) + 1}
    return {**lease, "spec": {**old, **spec}}


def released(lease: Object, terms: Terms, wall: datetime) -> Object:
    """The Lease given back, so that nobody has to wait for it to run out."""
    moment = rfc3339_micro(wall)
    spec = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": moment, "acquireTime": moment}
    return {**lease, "spec": {**(lease.get("spec") or {}), **spec}}


def token_of(lease: Object, terms: Terms) -> FenceToken:
    """What a leader's writes carry."""
    return terms.namespace, terms.name, terms.holder, int(path_of(lease, "spec", "leaseTransitions", default=0))


def _is_over(spec: dict[str, Any], observed: Observed | None, now: float) -> bool:
    duration = float(spec.get("leaseDurationSeconds") or 0)
    return observed is not None and now >= observed.since + duration


def _ignore(_: str) -> None:
    """For electors whose state nobody shows."""


class Elector:
    """Stands for a Lease, and works while it holds it.

    A process that was killed and started again takes over from its predecessor at once, in a new term: should the
    predecessor be alive after all, its writes are refused from then on, and it waits like any other candidate. So a
    process inherits once at most, when it begins. `on_state` hears what is waited for, "" while it leads.
    """

    def __init__(
        self, client: Client, clock: Clock, terms: Terms, random: Random, *, on_state: Callable[[str], None] = _ignore
    ) -> None:
        self._client = client
        self._on_state = on_state
        self._inherits = True
        self._clock = clock
        self._terms = terms
        self._random = random
        self._lease: Object | None = None
        self._observed: Observed | None = None
        self._renewed = 0.0
        self._leading = False

    def fence(self) -> FenceToken | None:
        """The leader's token for `Why.fence`; None when this process does not lead."""
        return token_of(self._lease, self._terms) if self._leading and self._lease is not None else None

    @property
    def leading(self) -> bool:
        """Whether this process holds the Lease, as far as it knows."""
        return self._leading

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Work whenever this process leads, until cancelled or until the work returns. The Lease is given back."""
        while True:
            await self._acquire()
            _log.info("%s leads as %s", self._terms.holder, self._terms.name)
            if await self._lead(work):
                return
            _log.warning("%s no longer leads as %s", self._terms.holder, self._terms.name)

    async def _acquire(self) -> None:
        while True:
            if await self._try_to_hold():
                self._leading = True
                self._on_state("")
                return
            self._on_state(f"waits for the lease {self._terms.name}{self._holder_shown()}")
            await asyncio.sleep(self._terms.retry_seconds * (1 + self._random.random() / 5))

    async def _lead(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Work until the Lease is lost (False) or the work done (True). It is given back after the work has ended."""
        try:
            async with asyncio.TaskGroup() as tasks:
                working = tasks.create_task(_run(work))
                renewing = tasks.create_task(self._keep_renewing())
                await asyncio.wait((working, renewing), return_when=asyncio.FIRST_COMPLETED)
                done = working.done()
                working.cancel()
                renewing.cancel()
        finally:
            self._leading = False
            await self._release()
        return done

    async def _keep_renewing(self) -> None:
        """Renew until that has not worked for too long, or another holds the Lease."""
        terms = self._terms
        while True:
            await asyncio.sleep(terms.retry_seconds)
            try:
                left = self._renewed + terms.renew_seconds - self._clock.monotonic()
                async with asyncio.timeout(max(left, 0)):
                    while not await self._try_to_hold():
                        if self._held_by_another():
                            return
                        await asyncio.sleep(terms.retry_seconds / 4)
            except TimeoutError:
                return

    async def _try_to_hold(self) -> bool:
        """Look at the Lease, and write it if it is to be had."""
        began = self._clock.monotonic()
        try:
            lease = await self._read()
            now = self._clock.monotonic()
            if lease is not None:
                self._observed = observe(lease, self._observed, now)
                self._inherits = self._inherits and self._may_inherit_from(lease)
            wanted = claim(lease, self._observed, self._terms, now, self._clock.now(), inherit=self._inherits)
            if wanted is None:
                self._lease = lease
                return False
            write = self._client.create if lease is None else self._client.update
            self._lease = await write(LEASES, wanted)
        except StatusError as error:
            _log.info("the lease %s was not written: %s", self._terms.name, error)
            return False
        self._renewed = began  # the answer may have been long under way
        self._inherits = False
        return True

    async def _read(self) -> Object | None:
        try:
            return await self._client.get(LEASES, self._terms.namespace, self._terms.name)
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    def _may_inherit_from(self, lease: Object) -> bool:
        holder = path_of(lease, "spec", "holderIdentity", default="")
        return holder == "" or is_predecessor(holder, self._terms)

    def _holder_shown(self) -> str:
        holder = path_of(self._lease or {}, "spec", "holderIdentity", default="")
        return f", held by {holder}" if holder else ""

    def _held_by_another(self) -> bool:
        holder = path_of(self._lease or {}, "spec", "holderIdentity", default="")
        return holder not in ("", self._terms.holder)

    async def _release(self) -> None:
        """Give the Lease back, if it is ours."""
        if self._lease is None or path_of(self._lease, "spec", "holderIdentity") != self._terms.holder:
            return
        try:
            async with asyncio.timeout(2):
                await self._client.update(LEASES, released(self._lease, self._terms, self._clock.now()))
        except (StatusError, TimeoutError) as error:
            _log.info("the lease %s was not given back: %s", self._terms.name, error)


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
