"""Expressions of admission policies, and the variables that they need."""

from __future__ import annotations

import pytest

from kubus.model.cel import CelError
from kubus.model.policy_expressions import Variables, compiled, expressions_of


def variables(**definitions: str) -> Variables:
    return Variables({name: compiled(text) for name, text in definitions.items()}, {"object": {"a": 2}})


def test_only_what_is_needed_is_worked_out() -> None:
    known = variables(broken="object.nothing", double="object.a * 2", four="variables.double * 2")
    assert known.evaluate(compiled("variables.four == 8", "bool")) is True
    with pytest.raises(CelError, match="no such key: nothing"):
        known.evaluate(compiled("variables.broken == 1"))


def test_a_variable_that_needs_itself_has_no_value() -> None:
    with pytest.raises(CelError, match="it needs itself"):
        variables(loop="variables.loop + 1").evaluate(compiled("variables.loop"))


def test_what_does_not_compile_says_so_when_it_is_used() -> None:
    with pytest.raises(CelError, match="compilation failed"):
        variables().evaluate(compiled("1 +"))
    assert "must evaluate to bool" in compiled("1 + 1", "bool").error


def test_every_expression_of_a_policy_is_found() -> None:
    spec = {
        "validations": [{"expression": "a", "messageExpression": "b"}],
        "matchConditions": [{"expression": "c"}],
        "variables": [{"expression": "d"}],
        "auditAnnotations": [{"valueExpression": "e"}],
    }
    assert {each.text for each in expressions_of({"spec": spec})} == {"a", "b", "c", "d", "e"}
