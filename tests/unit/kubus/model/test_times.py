"""Times, both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model import times

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.builds(
    lambda seconds, micros, zone: (EPOCH + timedelta(seconds=seconds, microseconds=micros)).astimezone(zone),
    st.integers(-30_000_000_000, 250_000_000_000),
    st.integers(0, 999_999),
    zones,
)


@given(moments)
def test_microtime_goes_both_ways(moment: datetime) -> None:
    assert times.parse_time(times.rfc3339_micro(moment)) == moment


@given(moments)
def test_time_goes_both_ways_to_the_second(moment: datetime) -> None:
    text = times.rfc3339(moment)
    assert len(text) == 20
    assert times.parse_time(text) == moment.replace(microsecond=0)


@given(st.integers(0, 7_000_000_000_000_000))
def test_the_microseconds_of_notes_go_both_ways(micros: int) -> None:
    moment = EPOCH + timedelta(microseconds=micros)
    assert abs(times.from_microseconds(times.microseconds(moment)) - moment) <= timedelta(microseconds=1)


def test_any_offset_and_fraction_is_read() -> None:
    expected = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)
    assert times.parse_time("2026-01-31T14:00:00.5+02:00") == expected


@pytest.mark.parametrize(
    "text", ["", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-13-31T12:00:00Z", "x" * 19 + "Z"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        times.parse_time(text)
