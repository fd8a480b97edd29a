"""Waiting for one's turn: the driver of `kubus_apiserver.doors.fairness`, shared by both doors.

What is long-running (a watch, a stream) holds its seat only until it has begun. Who waits too long or finds the queue
full hears 429 with Retry-After, in Kubernetes' words.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import count

from prometheus_client import CollectorRegistry, Counter

from kubus.model.errors import StatusError, too_many_requests
from kubus_apiserver.calls import User
from kubus_apiserver.doors.fairness import EXEMPT, LEVELS, Flow, Level, Seats, Verdict

_PATIENCE_SECONDS = 15.0
"""A quarter of Kubernetes' request timeout, as there."""
_RETRY_AFTER_SECONDS = 1


class Inflight:
    """The seats of all levels."""

    def __init__(
        self,
        levels: tuple[Level, ...] = LEVELS,
        *,
        patience_seconds: float = _PATIENCE_SECONDS,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        self._seats = {level.name: Seats(level) for level in levels}
        self._patience_seconds = patience_seconds
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._tickets = count()
        self._refused = Counter(
            "apiserver_flowcontrol_rejected_requests",
            "Requests refused with 429, by priority level",
            ["priority_level"],
            registry=metrics,
        )

    def seats(self, flow: Flow) -> Seats | None:
        """The level in which a request needs a seat; None if it needs none."""
        return None if flow.level == EXEMPT else self._seats[flow.level]

    def seat(self, seats: Seats | None, user: User) -> AbstractAsyncContextManager[None]:
        """A context in which a seat is held.

        Raises:
            StatusError: 429, there is none in time; when it is entered.
        """
        return _NONE_NEEDED if seats is None else _Seat(self, seats, user.name)

    async def taken(self, seats: Seats, user: str) -> None:
        """Take a seat, waiting for it if need be.

        Raises:
            StatusError: 429, there is none in time.
        """
        ticket = next(self._tickets)
        verdict = seats.arrived(user, ticket)
        if verdict is Verdict.SERVE:
            return
        if verdict is Verdict.REFUSE:
            raise self._refusal(seats)
        turn = self._waiting[ticket] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._patience_seconds):
                await turn
        except TimeoutError:
            self._leave(seats, user, ticket)
            raise self._refusal(seats) from None
        except asyncio.CancelledError:
            self._leave(seats, user, ticket)
            raise
        finally:
            self._waiting.pop(ticket, None)

    def _leave(self, seats: Seats, user: str, ticket: int) -> None:
        if not seats.gave_up(user, ticket):
            self.free(seats)  # the turn came in the same moment

    def free(self, seats: Seats) -> None:
        """Leave a seat to who is next."""
        ticket = seats.left()
        if ticket is None:
            return
        turn = self._waiting.get(ticket)
        if turn is not None and not turn.done():
            turn.set_result(None)

    def _refusal(self, seats: Seats) -> StatusError:
        self._refused.labels(seats.level.name).inc()
        return too_many_requests("Too many requests, please try again later.", _RETRY_AFTER_SECONDS)


class _Seat(AbstractAsyncContextManager[None]):
    """One request's."""

    __slots__ = ("_inflight", "_seats", "_user")

    def __init__(self, inflight: Inflight, seats: Seats, user: str) -> None:
        self._inflight = inflight
        self._seats = seats
        self._user = user

    async def __aenter__(self) -> None:
        await self._inflight.taken(self._seats, self._user)

    async def __aexit__(self, *_: object) -> None:
        self._inflight.free(self._seats)


_NONE_NEEDED = nullcontext()
