"""Custom objects as rules see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubus.model.cel.values import moment, span
from kubus.model.custom.celvalues import cel_value, escaped


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("a", "a"),
        ("a-b", "a__dash__b"),
        ("a.b/c", "a__dot__b__slash__c"),
        ("a__b", "a__underscores__b"),
        ("in", "__in__"),
        ("namespace", "__namespace__"),
        ("é", None),
    ],
)
def test_a_name_that_is_no_identifier_is_escaped(name: str, spoken: str | None) -> None:
    assert escaped(name) == spoken


def test_a_rule_sees_only_what_is_declared() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "number"}, "m": {"additionalProperties": {"type": "integer"}}},
    }
    assert cel_value(schema, {"a": 1, "m": {"x-y": 2.0}, "secret": 1}) == {"a": 1.0, "m": {"x-y": 2}}


def test_times_are_times() -> None:
    def text(format_: str) -> dict[str, str]:
        return {"type": "string", "format": format_}

    assert cel_value(text("date-time"), "2026-01-02T03:04:05.5Z") == moment(datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC))
    assert cel_value(text("date"), "2026-01-02") == moment(datetime(2026, 1, 2, tzinfo=UTC))
    assert cel_value(text("duration"), "-1h30m") == span(timedelta(minutes=-90))
    for format_, odd in (
        ("duration", "soon"),
        ("duration", "9999999999999h"),
        ("date-time", "9999-12-31T23:59:59-23:00"),
    ):
        assert cel_value(text(format_), odd) == odd
    assert cel_value(text("byte"), "YWI=") == b"ab"
