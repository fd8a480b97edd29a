"""Merges against flat dicts, and the order of lists."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.codec import pack
from kubus.model.managedfields.merging import merge
from kubus.model.managedfields.types import DEDUCED, Fields, Items, Leaf

from .oracle import flat, merged, random_type, random_value

SEEDS = st.integers(0, 10**6)
SET = Items(Leaf("string"))
KEYED = Items(Fields(items=Leaf()), ("k",))


@given(SEEDS)
def test_a_merge_is_the_configuration_laid_over_the_object(seed: int) -> None:
    random = Random(seed)
    type_ = random_type(random)
    live, config = random_value(random, type_), random_value(random, type_)
    before = pack([live, config])
    assert flat(type_, merge(type_, live, config)) == merged(type_, live, config)
    assert pack([live, config]) == before


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_a_merged_list_has_everything_once_and_the_configurations_order(live: list[str], config: list[str]) -> None:
    done = merge(SET, live, config)
    assert sorted(done) == sorted({*live, *config})
    assert [each for each in done if each in config] == config
    assert [each for each in done if each not in config] == [each for each in live if each not in config]


@pytest.mark.parametrize(
    ("live", "config", "done"),
    [
        ("abc", "", "abc"),
        ("", "abc", "abc"),
        ("abc", "d", "abcd"),
        ("abc", "ca", "bca"),
        ("abc", "bd", "abcd"),
        ("abcde", "ed", "abced"),
        ("ac", "abc", "abc"),
        ("axb", "ab", "axb"),
        ("xab", "ba", "xba"),
    ],
)
def test_the_order_is_that_of_structured_merge_diff(live: str, config: str, done: str) -> None:
    assert "".join(merge(SET, list(live), list(config))) == done


@pytest.mark.parametrize(
    ("live", "config", "done"),
    [
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": {"b": 1}}, {"a": None}, {"a": {"b": 1}}),
        ({"a": {}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": 1}, {"a": 1}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    ],
)
def test_null_and_changed_types(live: Any, config: Any, done: Any) -> None:
    assert merge(DEDUCED, live, config) == done


def test_null_leaves_a_list_with_keys_alone() -> None:
    assert merge(SET, ["a"], None) == ["a"]
    assert merge(SET, None, ["a"]) == ["a"]
    assert merge(SET, [], None) is None


def test_an_item_that_stands_twice_is_replaced_not_merged() -> None:
    live = [{"k": "x", "a": 1}, {"k": "x", "a": 2}, {"k": "y", "a": 3}]
    assert merge(KEYED, live, [{"k": "x", "b": 1}]) == [{"k": "x", "b": 1}, {"k": "y", "a": 3}]
    assert merge(KEYED, live, [{"k": "y", "b": 1}]) == [*live[:2], {"k": "y", "a": 3, "b": 1}]
