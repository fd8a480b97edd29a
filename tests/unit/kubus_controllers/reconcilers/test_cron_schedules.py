"""Cron schedules: the next time and the last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_controllers.reconcilers.cron_schedules import parse_schedule

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a Thursday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "following"),
    [
        ("* * * * *", "2026-01-01T12:01"),
        ("*/15 * * * *", "2026-01-01T12:15"),
        ("5/20 * * * *", "2026-01-01T12:05"),
        ("30 9-17 * * mon-fri", "2026-01-01T12:30"),
        ("0 0 1 * *", "2026-02-01T00:00"),
        ("0 0 * * SUN", "2026-01-04T00:00"),
        ("0 0 13 * 5", "2026-01-02T00:00"),
        ("0 0 13 * *", "2026-01-13T00:00"),
        ("0 0 */2 * 5", "2026-01-09T00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("@daily", "2026-01-02T00:00"),
        ("@yearly", "2027-01-01T00:00"),
        ("@every 1h30m", "2026-01-01T13:30"),
        ("10,20 12 1 jan ?", "2026-01-01T12:10"),
    ],
)
def test_the_next_time(schedule: str, following: str) -> None:
    assert parse_schedule(schedule, UTC).after(NOON) == at(following)


def test_some_days_never_come() -> None:
    assert parse_schedule("0 0 30 2 *", UTC).after(NOON) is None


def test_a_schedule_holds_in_its_zone_and_summer_time_leaves_a_time_out() -> None:
    assert parse_schedule("0 8 * * *", BERLIN).after(NOON) == at("2026-01-02T07:00")
    assert parse_schedule("0 8 * * *", BERLIN).after(at("2026-07-01T12:00")) == at("2026-07-02T06:00")
    assert parse_schedule("30 2 * * *", BERLIN).after(at("2026-03-28T12:00")) == at("2026-03-30T00:30")


@pytest.mark.parametrize("text", ["* * * *", "60 * * * *", "5-1 * * * *", "x * * * *", "*/0 * * * *"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_schedule(text, UTC)


@settings(max_examples=60)
@given(
    schedule=st.sampled_from(["*/7 * * * *", "0 3,15 * * *", "13 4 * * 1-5", "0 0 1,15 * 3", "@hourly", "@every 90s"]),
    zone=st.sampled_from([UTC, BERLIN]),
    days=st.integers(0, 400),
    minutes=st.integers(0, 3000),
)
def test_the_last_time_is_the_last_of_the_next_ones(schedule: str, zone: ZoneInfo, days: int, minutes: int) -> None:
    parsed, since = parse_schedule(schedule, zone), NOON + timedelta(days=days)
    now, last = since + timedelta(minutes=minutes), None
    following = parsed.after(since)
    while following is not None and following <= now:
        last, following = following, parsed.after(following)
    assert parsed.latest(since, now) == last
