"""CEL: quantities, `quantity("1.5Gi")`, and what compares, for quantities and versions alike.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kubus.model.cel import Function
from kubus.model.cel.values import accepts, tagged, untagged
from kubus.model.cel.versions import order_of
from kubus.model.quantities import parse_quantity

_INT64_MAX = 2**63 - 1
Value = dict[str, Any]


def quantity(text: str) -> Value:
    """The quantity of a text.

    Raises:
        ValueError: it is none.
    """
    return _tagged(parse_quantity(text))


def _tagged(amount: Fraction) -> Value:
    return tagged("Quantity", f"{amount.numerator}/{amount.denominator}")


def _amount(value: Value) -> Fraction:
    return Fraction(untagged(value, "Quantity")[1])


def _compared(left: Value, right: Value) -> int:
    type_, one = untagged(left, "Quantity", "Semver")
    _, other = untagged(right, type_)
    first, second = (Fraction(one), Fraction(other)) if type_ == "Quantity" else (order_of(one), order_of(other))
    return (first > second) - (first < second)  # type: ignore[operator]  # both of one type, by the key


def _is_integer(value: Value) -> bool:
    amount = _amount(value)
    return amount.denominator == 1 and abs(amount) <= _INT64_MAX


def _as_integer(value: Value) -> int:
    if not _is_integer(value):
        raise ValueError("cannot convert value to integer")
    return int(_amount(value))


def _sign(value: Value) -> int:
    amount = _amount(value)
    return (amount > 0) - (amount < 0)


FUNCTIONS = (
    Function("quantity", ("string",), "map", quantity, member=False),
    Function("isQuantity", ("string",), "bool", accepts(quantity), member=False),
    Function("isInteger", ("map",), "bool", _is_integer),
    Function("asInteger", ("map",), "int", _as_integer),
    Function("asApproximateFloat", ("map",), "double", lambda value: float(_amount(value))),
    Function("sign", ("map",), "int", _sign),
    Function("add", ("map", "map"), "map", lambda left, right: _tagged(_amount(left) + _amount(right))),
    Function("add", ("map", "int"), "map", lambda left, right: _tagged(_amount(left) + right)),
    Function("sub", ("map", "map"), "map", lambda left, right: _tagged(_amount(left) - _amount(right))),
    Function("sub", ("map", "int"), "map", lambda left, right: _tagged(_amount(left) - right)),
    Function("isGreaterThan", ("map", "map"), "bool", lambda left, right: _compared(left, right) > 0),
    Function("isLessThan", ("map", "map"), "bool", lambda left, right: _compared(left, right) < 0),
    Function("compareTo", ("map", "map"), "int", _compared),
)
