"""Quantities: `500m`, `1Gi`, `1e3`, as Kubernetes reads and writes them.

A quantity is a decimal number and a suffix, of one of three families: decimal (`n u m k M G T P E`), binary
(`Ki Mi Gi Ti Pi Ei`) or an exponent (`e3`). Its value is kept exactly, as a `Fraction` of whole nanos: finer is
rounded up, and what is over 2⁶³-1 counts as that, so that no exponent, however large, costs more than any other.

Schedulers and admission ask for the same few texts over and over, so every function here is cached. Values compare
as numbers: `parse_quantity("1") == parse_quantity("1000m")`. Behaviour follows apimachinery's pkg/api/resource.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

WRONG_FORMAT = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"  # in client code too
)
WRONG_SUFFIX = "unable to parse quantity's suffix"

_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {0: "", **{exponent // 10: suffix for suffix, exponent in _BINARY.items()}}
_NANO = 10**9
_LARGEST = (1 << 63) - 1
_EXPONENT_MAX = 64
"""Beyond this every number that is not zero is too large or too small anyway."""
_DIGITS_MAX = 512
"""No honest quantity is longer; int() of a huge text would be slow."""

Number = str | int | float


@lru_cache(maxsize=8192)
def parse_quantity(text: Number) -> Fraction:
    """The exact value of a quantity, in units.

    Raises:
        ValueError: the text is no quantity; the message is Kubernetes' own.
    """
    return _parse(text)[0]


@lru_cache(maxsize=8192)
def milli(text: Number) -> int:
    """The value in thousandths, fractions away from zero: `milli("0.5") == 500`.

    Raises:
        ValueError: the text is no quantity.
    """
    return _away_from_zero(_parse(text)[0] * 1000)


@lru_cache(maxsize=8192)
def units(text: Number) -> int:
    """The value in whole units, fractions away from zero: `units("1Ki") == 1024`, `units("1m") == 1`.

    Raises:
        ValueError: the text is no quantity.
    """
    return _away_from_zero(_parse(text)[0])


@lru_cache(maxsize=8192)
def canonical(text: Number) -> str:
    """The form in which Kubernetes writes the quantity: `1000m` → `1`, `1024Mi` → `1Gi`, `0.5` → `500m`.

    Raises:
        ValueError: the text is no quantity.
    """
    value, family = _parse(text)
    if value == 0:
        return "0"
    if family == "binary" and abs(value) >= 1024 and value.denominator == 1:
        return _canonical_binary(int(value))
    return _canonical_decimal(value, exponent_form=family == "exponent")


def is_quantity(text: object) -> bool:
    """Whether a value of decoded JSON is a quantity."""
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return False
    try:
        parse_quantity(text)
    except ValueError:
        return False
    return True


def from_milli(value: int) -> str:
    """The canonical quantity of so many thousandths: `1500` → `1500m`, `2000` → `2`."""
    return canonical(f"{value}m")


def from_bytes(value: int) -> str:
    """The canonical binary quantity of so many units: `1073741824` → `1Gi`, `1500` → `1500`."""
    return _canonical_binary(value) if value else "0"


def _parse(text: Number) -> tuple[Fraction, str]:
    """(value, family)."""
    text = text.strip() if isinstance(text, str) else repr(text)
    found = _SHAPE.fullmatch(text) if len(text) <= _DIGITS_MAX else None
    if found is None or not text:
        raise ValueError(WRONG_FORMAT)
    sign, whole, fraction, suffix = found.group(1), found.group(2), found.group(3) or "", found.group(4)
    number = Fraction(int(whole + fraction or "0"), 10 ** len(fraction))
    scale, family = _scale(suffix)
    value = _bounded(number * scale)
    return (-value if sign == "-" else value), family


def _scale(suffix: str) -> tuple[Fraction, str]:
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix], "decimal"
    if suffix in _BINARY:
        return Fraction(2) ** _BINARY[suffix], "binary"
    if suffix[0] in "eE" and suffix[-1].isdigit() and suffix[1:].lstrip("+-").isdigit():
        limit = _EXPONENT_MAX + _DIGITS_MAX
        return Fraction(10) ** max(-limit, min(limit, int(suffix[1:]))), "exponent"
    raise ValueError(WRONG_SUFFIX)


def _bounded(value: Fraction) -> Fraction:
    nanos = -(-value * _NANO // 1)
    return min(Fraction(nanos, _NANO), Fraction(_LARGEST))


def _away_from_zero(value: Fraction) -> int:
    return -(-value // 1) if value >= 0 else value // 1


def _canonical_binary(value: int) -> str:
    power = 0
    while value % 1024 == 0 and power < 6:
        value //= 1024
        power += 1
    return f"{value}{_BINARY_SUFFIX[power]}"


def _canonical_decimal(value: Fraction, *, exponent_form: bool) -> str:
    mantissa, exponent = int(value * _NANO), -9
    while mantissa % 1000 == 0 and exponent < 18:
        mantissa //= 1000
        exponent += 3
    if not exponent_form:
        return f"{mantissa}{_DECIMAL_SUFFIX[exponent]}"
    return f"{mantissa}e{exponent}" if exponent else str(mantissa)
