"""PriorityClasses: defaults and rules."""

from __future__ import annotations

import pytest

from kubus.model.kinds.priorityclasses import KIND
from kubus.testing.kinds import complaints, created, sent


@pytest.mark.parametrize(
    ("name", "value", "start"),
    [
        ("mine", 1_000_000_000, ""),
        ("mine", 1_000_000_001, "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
        ("system-node-critical", 2_000_001_000, ""),
        ("system-mine", 5, "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved"),
    ],
)
def test_the_highest_values_are_the_systems(name, value, start):
    errors = complaints(KIND, created(KIND, sent(KIND, name, value=value)))
    assert len(errors) == bool(start)
    assert all(error.startswith(start) for error in errors)


def test_a_value_stays():
    old, new = (created(KIND, sent(KIND, value=value)) for value in (1, 2))
    assert complaints(KIND, new, old) == ["value: Forbidden: may not be changed in an update."]
