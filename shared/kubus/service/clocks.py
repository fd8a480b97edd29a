"""The machine's clock: the one door through which time enters a service."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """`kubus.model.times.Clock` of the machine."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()
