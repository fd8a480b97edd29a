"""PodDisruptionBudgets: rules and row."""

from __future__ import annotations

from kubus.model.kinds.poddisruptionbudgets import KIND
from kubus.testing.kinds import complaints, sent, shown


def test_a_budget_counts_one_way_or_the_other():
    assert complaints(KIND, sent(KIND, spec={"minAvailable": "50%"})) == []
    (error,) = complaints(KIND, sent(KIND, spec={"minAvailable": 1, "maxUnavailable": 1}))
    assert error.endswith("minAvailable and maxUnavailable cannot be both set")


def test_the_row():
    row = shown(KIND, sent(KIND, spec={"minAvailable": 2}, status={"disruptionsAllowed": 1}))
    assert (row["Min Available"], row["Max Unavailable"], row["Allowed Disruptions"]) == ("2", "N/A", 1)
