"""The bus: publish, subscribe, request and serve.

`Bus` is what kubus needs of NATS. `kubus.bus.nats` has it over nats-py, `kubus.bus.memory` in memory, where
`kubus.testing` can make it drop, repeat and reorder. One conformance suite runs against both.

The bus promises little, and consumers are built for that: a message may be lost, and then a `Disturbed` tells
the subscriber where the bus itself can know it (a reconnect, a full queue). In order means: two messages of one
publisher on one subscription arrive in the order they were published, unless lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, Protocol


class Message(NamedTuple):
    """What arrived: the subject it was published on, its bytes, and where a reply would go ("": nowhere)."""

    subject: str
    data: bytes
    reply: str = ""


class Disturbed(NamedTuple):
    """Messages of a subscription may have been lost: list again."""

    reason: str


class BusError(Exception):
    """The bus did not do what was asked."""


class NoResponders(BusError):
    """Nobody serves the subject of a request."""


class RequestTimeout(BusError):
    """No reply came in time. The request may or may not have been carried out."""


class Disconnected(BusError):
    """There is no connection to the bus, or it is closed."""


class Subscription(Protocol):
    """What arrives on a subject. Iterate, or take with `next_batch`; leave with `aclose`."""

    def __aiter__(self) -> AsyncIterator[Message | Disturbed]:
        """Messages and disturbances, for ever."""

    async def next_batch(self) -> list[Message | Disturbed]:
        """Everything that has arrived, at least one."""

    async def aclose(self) -> None:
        """End the subscription."""


Handler = Callable[[Message], Awaitable[bytes]]


class Bus(Protocol):
    """What kubus needs of NATS."""

    async def publish(self, subject: str, data: bytes, *, headers: dict[str, str] | None = None) -> None:
        """Send, without knowing whether anyone listens. Buffered; see `flush`.

        Raises:
            Disconnected: the bus is away: the message is not sent later either.
        """

    async def flush(self) -> None:
        """Wait until the server has everything published so far.

        Raises:
            Disconnected
        """

    async def subscribe(self, subject: str, *, group: str = "") -> Subscription:
        """What arrives on a subject or wildcard from now on; when this returns, the server knows of it.

        Members of a group share the messages between them.
        """

    async def request(self, subject: str, data: bytes, *, timeout_seconds: float = 10.0) -> bytes:
        """Ask, and wait for one reply.

        Raises:
            NoResponders, RequestTimeout, Disconnected
        """

    async def serve(self, subject: str, handler: Handler, *, group: str = "", concurrency: int = 256) -> Subscription:
        """Answer requests on a subject, many at once. Close the result to stop."""

    async def aclose(self) -> None:
        """Send what is buffered and close."""
