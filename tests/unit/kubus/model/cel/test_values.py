"""Values of our own types are messages: equal if they say the same, and told apart by the type checker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubus.model.cel import CompileError, Environment
from kubus.model.cel.values import nested, tagged, text_of, untagged


def test_a_value_knows_its_type() -> None:
    assert untagged(tagged("IP", "::1"), "CIDR", "IP") == ("IP", "::1")
    assert text_of(tagged("IP", "::1")) == "::1"
    with pytest.raises(ValueError, match="no such overload"):
        untagged({"a": 1}, "IP")


@pytest.mark.parametrize(
    "expression",
    [
        "quantity('1') == quantity('1000m')",
        "ip('0:0:0:0:0:0:0:1') == ip('::1')",
        "type(cidr('10.0.0.0/8')) == net.CIDR",
        "semver('1.2.0').isLessThan(semver('1.10.0')) && quantity('1').isLessThan(quantity('2'))",
        "[quantity('1'), quantity('2')].exists(q, q.asInteger() == 2)",
    ],
)
def test_values_are_compared_by_what_they_say(expression: str) -> None:
    assert Environment({}).compile(expression, "bool").evaluate({}) is True


def test_the_checker_tells_types_apart() -> None:
    with pytest.raises(CompileError, match="found no matching overload for 'isGreaterThan'"):
        Environment({}).compile("quantity('1').isGreaterThan(semver('1.0.0'))")
    with pytest.raises(CompileError, match=r"'_>_' applied to '\(kubernetes.Quantity, int\)'"):
        Environment({}).compile("quantity('1') > 1")


def test_times_inside_of_objects_are_times() -> None:
    value = nested({"at": datetime(2026, 3, 1, tzinfo=UTC), "all": [timedelta(hours=2)], "n": 1})
    program = Environment({"self": "dyn"}).compile("self.at.getMonth() == 2 && self.all[0].getHours() == self.n + 1")
    assert program.evaluate({"self": value}) is True
