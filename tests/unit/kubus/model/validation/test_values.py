"""The smallest rules."""

from __future__ import annotations

import pytest

from kubus.model.validation import values


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (values.not_negative(None, "f"), []),
        (values.not_negative(0, "f"), []),
        (values.not_negative(-1, "f"), ["f: Invalid value: -1: must be greater than or equal to 0"]),
        (values.required_text("", "f"), ["f: Required value"]),
        (values.one_of(None, "f", ("a",)), []),
        (values.one_of("b", "f", ("a", "c")), ['f: Unsupported value: "b": supported values: "a", "c"']),
        (values.required_one_of(None, "f", ("a",)), ["f: Required value"]),
        (values.immutable(1, 1, "f"), []),
        (values.immutable({"a": 1}, None, "f"), ['f: Invalid value: {"a":1}: field is immutable']),
        (values.port_number(0, "f"), ["f: Invalid value: 0: must be between 1 and 65535, inclusive"]),
        (values.port_number_or_name("http", "f"), []),
        (values.port_number_or_name(65536, "f"), ["f: Invalid value: 65536: must be between 1 and 65535, inclusive"]),
        (values.int_or_percent("25%", "f"), []),
        (values.int_or_percent(-1, "f"), ["f: Invalid value: -1: must be greater than or equal to 0"]),
        (values.at_most_all("101%", "f"), ['f: Invalid value: "101%": must not be greater than 100%']),
        (values.quantity_not_negative("-1Gi", "f"), ['f: Invalid value: "-1Gi": must be greater than or equal to 0']),
    ],
)
def test_each_rule_says_what_kubernetes_says(errors, expected):
    assert [str(error) for error in errors] == expected


def test_a_share_without_percent_sign_is_no_share():
    (error,) = values.int_or_percent("25", "f")
    assert "a valid percent string must be a numeric string followed by an ending '%'" in str(error)


@pytest.mark.parametrize(("value", "zero"), [(None, True), (0, True), ("0%", True), (1, False), ("1%", False)])
def test_zero_comes_in_several_spellings(value, zero):
    assert values.is_zero(value) == zero
