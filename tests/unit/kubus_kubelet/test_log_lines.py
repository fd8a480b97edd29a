"""Lines of a container's log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_kubelet.log_lines import Wanted, moment, shown, tail_offset

LINE = b"2026-01-31T12:00:00.123456789+00:00 stdout F hello world\n"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_line_is_shown_without_what_the_runtime_put_before_it():
    assert shown(LINE, Wanted()) == b"hello world\n"
    assert shown(LINE, Wanted(timestamps=True)) == b"2026-01-31T12:00:00.123456789Z hello world\n"


def test_parts_of_a_long_line_are_put_together():
    assert shown(LINE.replace(b" F ", b" P "), Wanted()) == b"hello world"


@pytest.mark.parametrize("seconds", [-1, 1])
def test_lines_before_the_time_that_is_asked_for_are_left_out(seconds):
    since = moment(LINE.split(b" ")[0]) + timedelta(seconds=seconds)
    assert bool(shown(LINE, Wanted(since=since))) is (seconds < 0)


def test_what_is_no_line_is_left_out():
    assert shown(b"half a\n", Wanted()) == b""


def test_queries_are_read():
    wanted = Wanted.of({"follow": True, "sinceSeconds": 60, "tailLines": 0, "limitBytes": 5}, NOW)
    assert wanted == Wanted(follow=True, since=NOW - timedelta(seconds=60), tail=0, limit_bytes=5)
    assert Wanted.of({"sinceTime": "2026-01-31T11:00:00Z"}, NOW).since == NOW - timedelta(hours=1)


@given(st.lists(st.binary(max_size=5).filter(lambda line: b"\n" not in line)), st.integers(0, 8), st.booleans())
def test_the_tail_is_the_last_lines(lines, count, ended):
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    whole = data.splitlines(keepends=True) if b"\r" not in data else None
    if whole is None:
        return
    expected = [line + b"\n" for line in data.split(b"\n")]
    expected[-1] = expected[-1][:-1]
    if expected[-1] == b"":
        expected.pop()
    assert data[tail_offset(data, count) :] == b"".join(expected[len(expected) - min(count, len(expected)) :])
