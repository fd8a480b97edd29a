"""Cells: durations and selectors as Kubernetes prints them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.cells import age, at, count, human_duration, labels_text, number, selector_text, since

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (123, "2m3s"),
        (599, "9m59s"),
        (600, "10m"),
        (179 * 60 + 59, "179m"),
        (3 * HOUR, "3h"),
        (5 * HOUR + 600, "5h10m"),
        (8 * HOUR + 600, "8h"),
        (47 * HOUR, "47h"),
        (48 * HOUR, "2d"),
        (5 * DAY + 3 * HOUR, "5d3h"),
        (8 * DAY + HOUR, "8d"),
        (729 * DAY, "729d"),
        (2 * YEAR, "2y"),
        (3 * YEAR + 20 * DAY, "3y20d"),
        (8 * YEAR + 20 * DAY, "8y"),
    ],
)
def test_durations_use_two_units_at_most_and_fewer_as_they_grow(seconds, text):
    assert human_duration(seconds) == text


@given(st.integers(0, 20 * YEAR))
def test_no_duration_is_wider_than_seven_characters(seconds):
    assert 2 <= len(human_duration(seconds)) <= 7


def test_an_age_counts_from_creation():
    assert age({"metadata": {"creationTimestamp": "2026-01-31T11:00:00Z"}}, NOW) == "60m"


@pytest.mark.parametrize("time", [None, "", "yesterday"])
def test_an_unknown_time_is_unknown(time):
    assert since(time, NOW) == "<unknown>"


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, "<none>"),
        ({}, "<none>"),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "t", "operator": "In", "values": ["b", "a"]}]}, "t in (a,b)"),
        ({"matchExpressions": [{"key": "t", "operator": "NotIn", "values": ["a"]}]}, "t notin (a)"),
        ({"matchExpressions": [{"key": "t", "operator": "Exists"}]}, "t"),
        ({"matchExpressions": [{"key": "t", "operator": "DoesNotExist"}], "matchLabels": {"a": "1"}}, "a=1,!t"),
    ],
)
def test_selectors_read_like_those_of_the_command_line(selector, text):
    assert selector_text(selector) == text


def test_labels_are_sorted():
    assert labels_text({"b": "2", "a": "1"}) == "a=1,b=2"
    assert labels_text({}) == "<none>"


def test_cells_at_a_path_have_a_default():
    obj = {"status": {"n": 3, "list": [1, 2]}}
    assert number("status", "n")(obj, NOW) == 3
    assert number("status", "m")(obj, NOW) == 0
    assert at("status", "gone", default="-")(obj, NOW) == "-"
    assert count("status", "list")(obj, NOW) == 2
