"""Beats: which streams' newest revisions to repeat now. Pure.

An event that is lost is noticed at the next one of its stream, and the last one before a silence by a beat. A stream
that changed lately beats every second; all of them beat every ten, for subscribers that were away.
"""

from __future__ import annotations

BEAT_SECONDS = 1.0
LATELY_SECONDS = 5.0
ALL_SECONDS = 10.0


class Beats:
    """The streams, their newest revisions, and when they changed."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._changed: dict[str, float] = {}
        self._last = 0.0
        self._last_of_all = 0.0

    @property
    def streams(self) -> set[str]:
        """The streams that have moved so far."""
        return set(self._newest)

    def moved(self, stream: str, revision: int, now: float) -> None:
        """A stream stands at a new revision."""
        self._newest[stream] = revision
        self._changed[stream] = now

    def due(self, now: float) -> list[tuple[str, int]]:
        """The beats to send now: (stream, newest revision)."""
        if now - self._last < BEAT_SECONDS:
            return []
        self._last = now
        if now - self._last_of_all >= ALL_SECONDS:
            self._last_of_all = now
            return list(self._newest.items())
        self._changed = {stream: at for stream, at in self._changed.items() if now - at < LATELY_SECONDS}
        return [(stream, self._newest[stream]) for stream in self._changed]
