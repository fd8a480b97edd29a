"""Rules about single values: numbers, percentages, quantities, enumerations, immutability.

The smallest pieces of validation. Each takes a value and the path of its field and returns a list, so that rules
are sums of them; None (absent) passes everywhere but in `required_text`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kubus.model.errors import FieldError, invalid, not_supported, required
from kubus.model.names import port_name_errors, port_number_errors
from kubus.model.quantities import canonical, parse_quantity

NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"
_PERCENT = re.compile(r"[0-9]+%")
_PERCENT_WORDS = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%' or '93%', regex used for validation is '[0-9]+%')"
)


def not_negative(value: int | None, path: str) -> list[FieldError]:
    """An integer that must not be below zero."""
    return [invalid(path, value, NOT_NEGATIVE)] if value is not None and value < 0 else []


def required_text(value: str | None, path: str) -> list[FieldError]:
    """A text that must be there and not be empty."""
    return [] if value else [required(path)]


def one_of(value: str | None, path: str, supported: Sequence[str]) -> list[FieldError]:
    """A value of an enumeration, if there is one."""
    return [not_supported(path, value, supported)] if value is not None and value not in supported else []


def required_one_of(value: str | None, path: str, supported: Sequence[str]) -> list[FieldError]:
    """A value of an enumeration that must be there."""
    return one_of(value, path, supported) if value else [required(path)]


def immutable(new: Any, old: Any, path: str) -> list[FieldError]:
    """A value that no update may change."""
    return [invalid(path, new, IMMUTABLE)] if new != old else []


def port_number(value: int | None, path: str) -> list[FieldError]:
    """A port's number."""
    return [invalid(path, value, each) for each in port_number_errors(value or 0)]


def port_number_or_name(value: int | str | None, path: str) -> list[FieldError]:
    """A port by number or by a container port's name."""
    if isinstance(value, str):
        return [invalid(path, value, each) for each in port_name_errors(value)]
    return port_number(value, path)


def is_percent(value: Any) -> bool:
    """Whether a value is a percentage: `25%`."""
    return isinstance(value, str) and bool(_PERCENT.fullmatch(value))


def int_or_percent(value: int | str | None, path: str) -> list[FieldError]:
    """A number of pods, or a share of them."""
    if isinstance(value, str):
        return [] if is_percent(value) else [invalid(path, value, _PERCENT_WORDS)]
    return not_negative(value, path)


def at_most_all(value: int | str | None, path: str) -> list[FieldError]:
    """A share that must not be over 100 %."""
    if isinstance(value, str) and is_percent(value) and int(value[:-1]) > 100:
        return [invalid(path, value, "must not be greater than 100%")]
    return []


def is_zero(value: int | str | None) -> bool:
    """Whether a number or percentage is zero or absent."""
    return value in (None, 0) or (isinstance(value, str) and is_percent(value) and int(value[:-1]) == 0)


def quantity_not_negative(value: str, path: str) -> list[FieldError]:
    """A quantity that must not be below zero."""
    return [invalid(path, value, NOT_NEGATIVE)] if parse_quantity(value) < 0 else []


def size_errors(amount: str, path: str) -> list[FieldError]:
    """A size that must be above zero."""
    value = parse_quantity(amount)
    if value < 0:
        return [invalid(path, canonical(amount), NOT_NEGATIVE)]
    return [invalid(path, canonical(amount), "must be greater than zero")] if value == 0 else []
