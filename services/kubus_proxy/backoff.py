"""When to try again what the kernel refused. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _Refusal:
    pause_seconds: float
    due: float


class Backoff(Generic[K]):
    """What was refused, each with a pause that doubles from one refusal to the next."""

    def __init__(self) -> None:
        self._refused: dict[K, _Refusal] = {}

    def refuse(self, key: K, now: float) -> bool:
        """Note a refusal; whether it is the first one of its kind since it last went well."""
        before = self._refused.get(key)
        pause = min(before.pause_seconds * 2, LONGEST_SECONDS) if before is not None else FIRST_SECONDS
        self._refused[key] = _Refusal(pause, now + pause)
        return before is None

    def accept(self, key: K) -> None:
        """Forget what has gone well, or is wanted no more."""
        self._refused.pop(key, None)

    def due(self, now: float) -> set[K]:
        """What is to be tried again."""
        return {key for key, refusal in self._refused.items() if refusal.due <= now}

    def standing(self) -> set[K]:
        """All that stands refused."""
        return set(self._refused)

    def wait_seconds(self, now: float) -> float | None:
        """How long until something is due; None if nothing was refused."""
        return max(0.0, min(each.due for each in self._refused.values()) - now) if self._refused else None
