"""Match conditions of webhooks."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.cel import CelError
from kubus.model.policy_expressions import Expressions
from kubus_apiserver.admission.conditions import compiled_conditions, conditions_hold


def hold(*expressions: str) -> bool:
    asking = Expressions(lambda _question: None)
    conditions = [{"name": "c", "expression": each} for each in expressions]
    variables: dict[str, Any] = {"object": {"a": 1}, "oldObject": None, "request": {"operation": "CREATE"}}
    return conditions_hold(compiled_conditions(conditions, asking), variables)


def test_all_have_to_hold() -> None:
    assert hold()
    assert hold("object.a == 1", "oldObject == null", "request.operation == 'CREATE'")
    assert not hold("object.a == 1", "object.a == 2")


def test_one_that_is_false_decides_over_one_without_a_value() -> None:
    assert not hold("object.x == 1", "false")


@pytest.mark.parametrize(
    ("expressions", "words"),
    [
        (["object.x == 1"], r"^expression 'object.x == 1' resulted in error: no such key: x$"),
        (["object.x == 1", "object.x == 1"], r"^expression 'object.x == 1' resulted in error: no such key: x$"),
        (["object.x == 1", "object.y == 1"], r"^\[expression .* no such key: x, expression .* no such key: y\]$"),
        (["1 +"], "Syntax error"),
    ],
)
def test_none_false_and_one_without_a_value(expressions: list[str], words: str) -> None:
    with pytest.raises(CelError, match=words):
        hold(*expressions)
