"""Kubernetes' functions one by one: what each of their types refuses, and how versions are ordered."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from kubus.model.cel import (
    Environment,
    EvaluationError,
    addresses,
    lists,
    maps,
    named_formats,
    quantities,
    texts,
    versions,
)
from kubus.model.cel.values import accepts

REFUSED: list[tuple[Callable[[str], Any], str]] = [
    (addresses.ip, "10.0.0.256"),
    (addresses.ip, "010.0.0.1"),
    (addresses.ip, "fe80::1%eth0"),
    (addresses.ip, "::ffff:1.2.3.4"),
    (addresses.ip, ""),
    (addresses.cidr, "10.0.0.0"),
    (addresses.cidr, "10.0.0.0/08"),
    (addresses.cidr, "10.0.0.0/255.0.0.0"),
    (addresses.cidr, "::/129"),
    (addresses.url, "relative/path"),
    (addresses.url, "http://a:99999/"),
    (addresses.url, "http://a b/"),
    (quantities.quantity, "1 Gi"),
    (quantities.quantity, ""),
    (versions.semver, "1.2"),
    (versions.semver, "01.2.3"),
    (versions.semver, "v1.2.3"),
]


@pytest.mark.parametrize(("parse", "text"), REFUSED)
def test_a_text_that_is_not_of_the_type_is_refused(parse: Callable[[str], Any], text: str) -> None:
    assert not accepts(parse)(text)


def test_versions_are_ordered_as_semver_says() -> None:
    ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.2.0",
        "1.10.0",
    ]
    keys = [versions.order_of(each) for each in ordered]
    assert all(left < right for left, right in pairwise(keys))


def test_no_function_is_declared_twice() -> None:
    every = [
        *addresses.FUNCTIONS,
        *lists.FUNCTIONS,
        *maps.FUNCTIONS,
        *named_formats.FUNCTIONS,
        *quantities.FUNCTIONS,
        *texts.FUNCTIONS,
        *versions.FUNCTIONS,
    ]
    signatures = [(each.name, each.parameters, each.member) for each in every]
    assert len(set(signatures)) == len(signatures)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[1, 2, 1].indexOf(1)", 0),
        ("[1, 2, 1].lastIndexOf(1)", 2),
        ("[[1], null].indexOf(null)", 1),
        ("[true].indexOf(false)", -1),
        ("'abcabc'.indexOf('c', 3)", 5),
        ("'abcabc'.lastIndexOf('abc', 2)", 0),
        ("[duration('1s'), duration('2s')].sum() == duration('3s')", True),
        ("[timestamp('2026-01-01T00:00:00Z'), timestamp('2025-01-01T00:00:00Z')].min().getFullYear()", 2025),
    ],
)
def test_lists_are_searched_and_summed(expression: str, value: Any) -> None:
    assert Environment({}).compile(expression).evaluate({}) == value


@pytest.mark.parametrize(
    ("expression", "words"),
    [("[9223372036854775807, 1].sum()", "integer overflow"), ("'a'.indexOf('a', 9)", "index out of range: 9")],
)
def test_lists_and_texts_have_bounds(expression: str, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        Environment({}).compile(expression).evaluate({})
