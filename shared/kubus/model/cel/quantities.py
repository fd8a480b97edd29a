"""CEL: quantities, `quantity("1.5Gi")`.

https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kubus.model.cel import Function
from kubus.model.cel.values import TYPES, accepts, tagged, text_of
from kubus.model.quantities import parse_quantity

_INT64_MAX = 2**63 - 1
_QUANTITY = TYPES["Quantity"]
Value = Any
"""A message; see `kubus.model.cel.values`."""


def quantity(text: str) -> Value:
    """The quantity of a text.

    Raises:
        ValueError: it is none.
    """
    return _tagged(parse_quantity(text))


def _tagged(amount: Fraction) -> Value:
    return tagged("Quantity", f"{amount.numerator}/{amount.denominator}")


def _amount(value: Value) -> Fraction:
    return Fraction(text_of(value))


def _compared(left: Value, right: Value) -> int:
    first, second = _amount(left), _amount(right)
    return (first > second) - (first < second)


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
    Function("quantity", ("string",), _QUANTITY, quantity, member=False),
    Function("isQuantity", ("string",), "bool", accepts(quantity), member=False),
    Function("isInteger", (_QUANTITY,), "bool", _is_integer),
    Function("asInteger", (_QUANTITY,), "int", _as_integer),
    Function("asApproximateFloat", (_QUANTITY,), "double", lambda value: float(_amount(value))),
    Function("sign", (_QUANTITY,), "int", _sign),
    Function("add", (_QUANTITY, _QUANTITY), _QUANTITY, lambda left, right: _tagged(_amount(left) + _amount(right))),
    Function("add", (_QUANTITY, "int"), _QUANTITY, lambda left, right: _tagged(_amount(left) + right)),
    Function("sub", (_QUANTITY, _QUANTITY), _QUANTITY, lambda left, right: _tagged(_amount(left) - _amount(right))),
    Function("sub", (_QUANTITY, "int"), _QUANTITY, lambda left, right: _tagged(_amount(left) - right)),
    Function("isGreaterThan", (_QUANTITY, _QUANTITY), "bool", lambda left, right: _compared(left, right) > 0),
    Function("isLessThan", (_QUANTITY, _QUANTITY), "bool", lambda left, right: _compared(left, right) < 0),
    Function("compareTo", (_QUANTITY, _QUANTITY), "int", _compared),
)
