"""Quantities: examples from Kubernetes' own tests, then properties."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model import quantities
from kubus.model.quantities import canonical, from_bytes, from_milli, is_quantity, milli, parse_quantity, units

SUFFIXES = ("", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "e3", "E-2", "e0")
numbers = st.from_regex(r"[+-]?([0-9]{1,6}(\.[0-9]{0,4})?|\.[0-9]{1,4})", fullmatch=True)
texts = st.builds("".join, st.tuples(numbers, st.sampled_from(SUFFIXES)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1", 1),
        ("500m", Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("1.", 1),
        ("1Ki", 1024),
        ("1.5Gi", 3 * 2**29),
        ("1E", 10**18),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1e-3", Fraction(1, 1000)),
        ("-1.5k", -1500),
        (" 3 ", 3),
        (2, 2),
        (0.5, Fraction(1, 2)),
        (1e22, 2**63 - 1),
    ],
)
def test_a_quantity_has_this_value(text: str | float, value: Fraction) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1024", "1024"),
        ("1000k", "1M"),
        ("1e3", "1e3"),
        ("1.5e3", "1500"),
        ("0Ki", "0"),
        ("1000n", "1u"),
        ("-0.5", "-500m"),
        ("1.0001Ki", "1024102400u"),
        ("100Ei", "9223372036854775807"),
        (1, "1"),
    ],
)
def test_kubernetes_writes_it_like_this(text: str | float, written: str) -> None:
    assert canonical(text) == written


@pytest.mark.parametrize("text", ["", "a", "1x", "1.2.3", "1 Gi", "one", "１", "0x1", "1" * 600])
def test_what_has_no_shape_of_a_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        parse_quantity(text)


@pytest.mark.parametrize("text", ["1ee", "1e", "e", "1Kii", "1e+", "1mm", "1i"])
def test_an_unknown_suffix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        parse_quantity(text)


def test_fractions_are_rounded_away_from_zero() -> None:
    assert (milli("1u"), milli("-1u"), units("1m"), units("-1m"), units("1")) == (1, -1, 1, -1, 1)


def test_no_exponent_is_expensive() -> None:
    assert parse_quantity("1e999999999999") == 2**63 - 1
    assert canonical("1e-999999999999") == "1e-9"
    assert parse_quantity("0e999999999999") == 0


def test_only_numbers_and_texts_are_quantities() -> None:
    assert is_quantity("1Gi")
    assert is_quantity(1)
    assert not any(map(is_quantity, (True, None, [], {}, "x", float("nan"))))


def test_numbers_become_quantities() -> None:
    assert (from_milli(1500), from_milli(2000), from_milli(0)) == ("1500m", "2", "0")
    assert (from_bytes(2**30), from_bytes(1500), from_bytes(0)) == ("1Gi", "1500", "0")


@given(texts)
def test_the_canonical_form_has_the_same_value_and_is_its_own(text: str) -> None:
    written = canonical(text)
    assert parse_quantity(written) == parse_quantity(text)
    assert canonical(written) == written


@given(texts)
def test_milli_and_units_are_the_value_rounded_up(text: str) -> None:
    value = parse_quantity(text)
    assert 0 <= milli(text) * (1 if value >= 0 else -1) - abs(value) * 1000 < 1
    assert 0 <= units(text) * (1 if value >= 0 else -1) - abs(value) < 1


@given(st.integers(-(10**12), 10**12))
def test_from_milli_and_milli_are_inverse(value: int) -> None:
    assert milli(from_milli(value)) == value


@given(st.text(max_size=12))
def test_any_text_is_a_quantity_or_a_value_error(text: str) -> None:
    try:
        parse_quantity(text)
    except ValueError as error:
        assert str(error) in (quantities.WRONG_FORMAT, quantities.WRONG_SUFFIX)
