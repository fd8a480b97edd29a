"""Cron schedules: when is the next time, and when was the last.

Five fields (minute, hour, day of month, month, day of week) with `*`, lists, ranges, steps and names; `@daily` and its
kin; `@every 1h30m`, which counts from a beginning. If both days are restricted, either is enough. A time that a change
to summer time leaves out does not come; one that comes twice counts once.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_NAMES = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))} | {
    name: number + 1
    for number, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DAYS_MAX = 5 * 366
"""A day that does not come within five years (30 February) never comes."""


@dataclass(frozen=True, slots=True)
class Every:
    """`@every …`: whole seconds."""

    interval: timedelta

    def after(self, moment: datetime) -> datetime | None:
        """The next time, counted from a moment that was one."""
        return moment + self.interval

    def latest(self, since: datetime, now: datetime) -> datetime | None:
        """The last time after `since` that is not after `now`; None if there was none."""
        passed = (now - since) // self.interval
        return since + passed * self.interval if passed > 0 else None


@dataclass(frozen=True, slots=True)
class Calendar:
    """Minutes of days, in a time zone."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    """Whether the day of the month or the day of the week is open: then both have to fit."""
    zone: tzinfo

    def after(self, moment: datetime) -> datetime | None:
        """The next time after a moment; None if there will be none."""
        today = moment.astimezone(self.zone).date()
        for number in range(_DAYS_MAX):
            for found in self._times(today + timedelta(days=number)):
                if found > moment:
                    return found
        return None

    def latest(self, since: datetime, now: datetime) -> datetime | None:
        """The last time after `since` that is not after `now`; None if there was none."""
        first, day = since.astimezone(self.zone).date(), now.astimezone(self.zone).date()
        for number in range(min((day - first).days + 1, _DAYS_MAX)):
            for found in reversed([*self._times(day - timedelta(days=number))]):
                if since < found <= now:
                    return found
        return None

    def _times(self, day: date) -> Iterator[datetime]:
        """The times of a day, in UTC and in order."""
        if not self._is_right(day):
            return
        found = set()
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime.combine(day, time(hour, minute), self.zone)
                moment = local.astimezone(UTC)
                if moment.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    found.add(moment)
        yield from sorted(found)

    def _is_right(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return of_month and of_week if self.any_day else of_month or of_week


Schedule = Calendar | Every


def parse_schedule(text: str, zone: tzinfo) -> Schedule:
    """The schedule of a text.

    Raises:
        ValueError: it is none.
    """
    if text.startswith("@every "):
        seconds = sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([\d.]+)(ns|us|ms|s|m|h)", text[7:]))
        return Every(timedelta(seconds=max(1, int(seconds))))
    parts = _MACROS.get(text, text).split()
    if len(parts) != len(_BOUNDS):
        raise ValueError(f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]")
    fields = [_field(part, low, high) for part, (low, high) in zip(parts, _BOUNDS, strict=True)]
    any_day = any(_is_open(parts[position]) for position in (2, 4))
    return Calendar(fields[0], fields[1], fields[2], fields[3], fields[4], any_day, zone)


def _is_open(part: str) -> bool:
    return any(piece.partition("/")[0] in ("*", "?") for piece in part.split(","))


def _field(part: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for piece in part.split(","):
        span, slash, step = piece.partition("/")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first)
            end = _number(last) if dash else high if slash else start
        if not low <= start <= end <= high or (slash and int(step) < 1):
            raise ValueError(f"no range of {low} to {high}: {piece}")
        found.update(range(start, end + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NAMES.get(text.lower(), -1)
