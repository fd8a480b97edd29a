"""Progress on stderr: `✓ etcd  0.31 s` a line, coloured on a terminal, plain off it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from kubus.service import SystemClock
from kubus_cli.colours import wants_colour

GREEN, RED, YELLOW, DIM, RESET = "\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[0m"


class Steps:
    """Says what has been done and what is waited for."""

    def __init__(self, stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._has_colours = wants_colour(self._stream, environ)
        self._clock = SystemClock()
        self._began = self._clock.monotonic()
        self._waiting = ""

    @property
    def seconds(self) -> float:
        """Since the first step."""
        return self._clock.monotonic() - self._began

    def done(self, what: str, seconds: float | None = None) -> None:
        """A step is done."""
        took = "" if seconds is None else f"  {self._coloured(DIM, f'{seconds:.2f} s')}"
        self._line(f"{self._coloured(GREEN, '✓')} {what}{took}")

    def failed(self, what: str) -> None:
        """A step has failed."""
        self._line(f"{self._coloured(RED, '✗')} {what}")

    def warn(self, what: str) -> None:
        """Something is not as it should be."""
        self._line(f"{self._coloured(YELLOW, '!')} {what}")

    def say(self, what: str) -> None:
        """A line of prose."""
        self._line(what)

    def waiting(self, what: str) -> None:
        """What is waited for; shown on a terminal only, and overwritten by the next line."""
        if self._terminal and what != self._waiting:
            self._waiting = what
            self._stream.write(f"\r\033[K{self._coloured(DIM, f'… {what}')}")
            self._stream.flush()

    def _line(self, text: str) -> None:
        if self._terminal:
            self._stream.write("\r\033[K")
        self._waiting = ""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def _coloured(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._has_colours else text
