"""Formats of names as expressions ask for them."""

from __future__ import annotations

import pytest

from kubus.model.cel import Environment
from kubus.model.cel.named_formats import FUNCTIONS

VALID = [
    ("dns1123Label", "a-b", "A"),
    ("dns1123Subdomain", "a.b", "a..b"),
    ("dns1035Label", "a1", "1a"),
    ("qualifiedName", "example.com/Name", "a/b/c"),
    ("dns1123LabelPrefix", "a-", "-a"),
    ("dns1123SubdomainPrefix", "a.b-", ".a"),
    ("dns1035LabelPrefix", "a-", "1-"),
    ("labelValue", "", "a b"),
    ("uri", "https://a/b", ""),
    ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
    ("byte", "aGVsbG8=", "a"),
    ("date", "2021-01-01", "2021-13-01"),
    ("datetime", "2021-01-01T00:00:00Z", "2021-01-01"),
]


@pytest.mark.parametrize(("name", "fine", "wrong"), VALID)
def test_a_format_says_what_is_wrong(name: str, fine: str, wrong: str) -> None:
    validate = Environment({"text": "string"}).compile(f"format.{name}().validate(text)")
    errors = Environment({"text": "string"}).compile(f"format.named('{name}').value().validate(text).orValue(['none'])")
    assert validate is not None
    assert errors.evaluate({"text": fine}) == ["none"]
    assert errors.evaluate({"text": wrong}) not in (["none"], [])


def test_a_format_that_does_not_exist_is_none() -> None:
    assert Environment({}).compile("format.named('shoe').hasValue()").evaluate({}) is False
    assert len({each.name for each in FUNCTIONS}) == len(VALID) + 2
