"""Taints and tolerations."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.taints import FORBIDDING, Taint, taints_of, tolerations_of, untolerated


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"value": "v"}, True),
        ({"value": "w"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "k", "value": "w"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Unknown", "value": "v"}, False),
    ],
)
def test_a_toleration_covers_a_taint_of_its_key_value_and_effect(toleration: dict[str, Any], tolerated: bool) -> None:
    taints = (Taint("k", "v", "NoSchedule"),)
    assert (not untolerated(taints, tolerations_of({"tolerations": [toleration]}), FORBIDDING)) is tolerated


def test_a_taint_that_only_discourages_forbids_nothing() -> None:
    taints = taints_of({"taints": [{"key": "k", "effect": "PreferNoSchedule"}]})
    assert untolerated(taints, (), FORBIDDING) == ()
    assert untolerated(taints, (), ("PreferNoSchedule",)) == taints
