"""Whether output is coloured: on a terminal, unless NO_COLOR says otherwise (https://no-color.org)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True for a terminal that can show colours, with NO_COLOR absent or empty."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
