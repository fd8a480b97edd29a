"""Requirements on labels."""

from __future__ import annotations

import pytest

from kubus.model.requirements import Requirement, requirement


@pytest.mark.parametrize(
    ("operator", "values", "holds_for"),
    [
        ("=", ("2",), {"2"}),
        ("==", ("2",), {"2"}),
        ("!=", ("2",), {None, "1", "x"}),
        ("in", ("1", "2"), {"1", "2"}),
        ("notin", ("1", "2"), {None, "x"}),
        ("exists", (), {"1", "2", "x"}),
        ("!", (), {None}),
        ("gt", ("1",), {"2"}),
        ("lt", ("2",), {"1"}),
    ],
)
def test_an_operator_holds_for_these_values(operator: str, values: tuple[str, ...], holds_for: set[str | None]) -> None:
    subject = requirement("key", operator, values)
    found = {value for value in (None, "1", "2", "x") if subject.matches({} if value is None else {"key": value})}
    assert found == holds_for


@pytest.mark.parametrize(
    ("key", "operator", "values", "message"),
    [
        ("-x", "exists", (), 'key: Invalid value: "-x": name part must consist of'),
        ("a", "in", (), "for 'in', 'notin' operators, values set can't be empty"),
        ("a", "exists", ("x",), "values set must be empty for exists and does not exist"),
        ("a", "gt", ("x",), "for 'Gt', 'Lt' operators, the value must be an integer"),
        ("a", "lt", ("9" * 30,), "the value must be an integer"),
        ("a", "=", ("-x",), 'values[0][a]: Invalid value: "-x": a valid label must be an empty string'),
    ],
)
def test_what_is_no_requirement_is_refused_in_words(
    key: str, operator: str, values: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError) as refusal:
        requirement(key, operator, values)
    assert message in str(refusal.value)


def test_equal_requirements_are_equal_whatever_order_their_values_came_in() -> None:
    assert requirement("a", "in", ("y", "x", "x")) == Requirement("a", "in", ("x", "y"))
    assert hash(requirement("a", "in", ("y", "x"))) == hash(Requirement("a", "in", ("x", "y")))
