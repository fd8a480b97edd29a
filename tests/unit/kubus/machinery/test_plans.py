"""Plans are values: compared, never changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from kubus.machinery.plans import CONVERGED, Create, Delete, Plan
from kubus.model.kinds import Kind
from kubus.testing.builders import pod

PODS = Kind(group="", version="v1", name="Pod", plural="pods", namespaced=True, schema="")


def test_plans_that_say_the_same_are_equal() -> None:
    assert Plan((Create(PODS, pod("a")),)) == Plan((Create(PODS, pod("a")),))
    assert Plan((Create(PODS, pod("a")),)) != Plan((Create(PODS, pod("b")),))
    assert Delete(PODS, "default", "a", "uid") != Delete(PODS, "default", "a", "another uid")


def test_a_converged_world_needs_nothing() -> None:
    assert Plan() == CONVERGED
    assert not CONVERGED.actions
    assert CONVERGED.again_after is None


def test_nobody_changes_a_plan() -> None:
    with pytest.raises(FrozenInstanceError):
        CONVERGED.actions = ()
