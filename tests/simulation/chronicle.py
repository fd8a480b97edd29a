"""The chronicle of a story: what happened, when and by whom; and which promises were broken."""

from __future__ import annotations

import hashlib
import logging
from collections import deque

from kubus.model.times import Clock

LINES_KEPT = 100_000
HARM = "harm done by chaos"
"""Marks errors that chaos makes a service meet: it must live with them, and may log them."""


class Chronicle:
    """A log of one story. Its digest tells two stories apart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._digest = hashlib.sha256()
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.broken: list[str] = []
        """Promises that were broken, with what broke them."""

    def tell(self, actor: str, what: str) -> None:
        """Something happened."""
        line = f"{self._clock.monotonic():9.3f}  {actor:<14} {what}"
        self._digest.update(line.encode())
        self.lines.append(line)

    def break_promise(self, promise: str, how: str) -> None:
        """A promise was broken: the story will end with it."""
        self.tell("PROMISE BROKEN", f"{promise}: {how}")
        self.broken.append(f"{promise}: {how}")

    @property
    def digest(self) -> str:
        """The same for the same story."""
        return self._digest.hexdigest()[:16]


class ServiceLogs(logging.Handler):
    """What services log goes into the chronicle; an error is one that nobody expected, whatever the faults."""

    def __init__(self, chronicle: Chronicle) -> None:
        super().__init__(logging.INFO)
        self._chronicle = chronicle

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it."""
        fields = getattr(record, "kubus_fields", None) or {}
        text = " ".join([record.getMessage(), *(f"{name}={value}" for name, value in fields.items())])
        if record.levelno >= logging.ERROR and HARM not in text:
            if record.exc_info and record.exc_info[1] is not None:
                text += " " + logging.Formatter().formatException(record.exc_info)
            self._chronicle.break_promise("no service meets an error that it did not expect", text)
        else:
            self._chronicle.tell(record.name.removeprefix("kubus").lstrip(".")[-14:], text)
