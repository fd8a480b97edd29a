"""Times as Kubernetes writes them.

`Time` is RFC 3339 in UTC with whole seconds, `MicroTime` the same with six digits. The clock itself is
never read here: time is an argument wherever something is decided.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


def rfc3339(moment: datetime) -> str:
    """`2026-01-31T12:00:00Z`."""
    return f"{moment.astimezone(UTC).isoformat()[:19]}Z"


def rfc3339_micro(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000000Z`."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z"


def parse_time(text: str) -> datetime:
    """The moment that an RFC 3339 text names, any fraction and offset.

    Raises:
        ValueError: the text is no such time, or names no offset.
    """
    if len(text) == 20 and text[19] == "Z":
        return datetime(
            int(text[0:4]),
            int(text[5:7]),
            int(text[8:10]),
            int(text[11:13]),
            int(text[14:16]),
            int(text[17:19]),
            tzinfo=UTC,
        )
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time without an offset: {text!r}")
    return moment


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, as notes carry them."""
    return int(moment.timestamp() * 1_000_000)


def from_microseconds(value: int) -> datetime:
    """The moment of a note."""
    return datetime.fromtimestamp(value / 1_000_000, tz=UTC)


class Clock(Protocol):
    """Where time comes from; simulated in tests. Only drivers hold one: what decides is given the moment."""

    def now(self) -> datetime:
        """The wall clock, with an offset."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
