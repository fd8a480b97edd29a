"""Conditions are set without touching what has not changed."""

from __future__ import annotations

from datetime import UTC, datetime

from kubus_controllers.reconcilers.conditions import Said, with_condition

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD = {"type": "A", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": "2025-01-01T00:00:00Z"}


def test_an_unchanged_condition_stays_as_it_was() -> None:
    assert with_condition([OLD], type_="A", said=Said("True", "R", "m"), now=NOW) == [OLD]


def test_the_transition_time_moves_with_the_status_only() -> None:
    (said,) = with_condition([OLD], type_="A", said=Said("True", "S", "m"), now=NOW)
    assert said["lastTransitionTime"] == OLD["lastTransitionTime"]
    (turned,) = with_condition([OLD], type_="A", said=Said("False", "S", "m"), now=NOW)
    assert turned["lastTransitionTime"] == "2026-01-01T12:00:00Z"


def test_other_conditions_stay() -> None:
    other = {**OLD, "type": "B"}
    assert other in with_condition([other], type_="A", said=Said("True", "R", "m"), now=NOW, updated=True)
