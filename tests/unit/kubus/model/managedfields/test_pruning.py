"""What a configuration owns, and what is left when fields go."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.managedfields.pruning import owned_fields, with_named_fields, without_fields
from kubus.model.managedfields.types import DEDUCED_MAP, Fields, Items, Leaf

from .oracle import as_fields, as_set, flat, owned, random_type, random_value

SEEDS = st.integers(0, 10**6)


@given(SEEDS)
def test_a_configuration_owns_its_leaves_items_and_entries(seed: int) -> None:
    random = Random(seed)
    type_ = random_type(random)
    config = random_value(random, type_)
    assert as_set(owned_fields(type_, config)) == owned(type_, config)


@given(SEEDS)
def test_what_is_taken_away_goes_with_all_below_it(seed: int) -> None:
    random = Random(seed)
    type_ = random_type(random)
    value = random_value(random, type_)
    before = flat(type_, value)
    gone = {path for path in before if random.random() < 0.3 and path[-1] != "f:k"}
    left = flat(type_, without_fields(type_, value, as_fields(gone)))
    assert left == {path: each for path, each in before.items() if not any(path[: len(g)] == g for g in gone)}


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"a": None}, {"f:a": {}}),
        ({"a": {}}, {"f:a": {}}),
        ({"a": {"b": 1}}, {"f:a": {".": {}, "f:b": {}}}),
        ({}, {}),
    ],
)
def test_nulls_and_empty_maps_are_owned(config: Any, fields: Any) -> None:
    assert owned_fields(DEDUCED_MAP, config) == fields


def test_a_struct_is_owned_only_if_it_is_empty() -> None:
    inner, outer = Fields(), Fields()
    inner.declare("x", Leaf())
    inner.declare("l", Items(Leaf()))
    outer.declare("s", inner)
    assert owned_fields(outer, {"s": {"x": 1}}) == {"f:s": {"f:x": {}}}
    assert owned_fields(outer, {"s": {}}) == {"f:s": {}}
    assert owned_fields(outer, {"s": {"l": []}}) == {}
    assert owned_fields(outer, {"s": {"l": None}}) == {"f:s": {"f:l": {}}}
    assert with_named_fields(outer, {"f:s": {"f:x": {}}}) == {"f:s": {".": {}, "f:x": {}}}


def test_entries_of_maps_and_items_are_no_named_fields() -> None:
    outer = Fields()
    outer.declare("m", Fields(items=Fields(items=Leaf())))
    outer.declare("l", Items(Fields(items=Leaf()), ("k",)))
    fields = {"f:m": {"f:x": {"f:y": {}}}, "f:l": {'k:{"k":1}': {"f:z": {}}}}
    named = {"f:m": {".": {}, "f:x": {"f:y": {}}}, "f:l": {".": {}, 'k:{"k":1}': {"f:z": {}}}}
    assert with_named_fields(outer, fields) == named


def test_an_emptied_container_stays() -> None:
    assert without_fields(DEDUCED_MAP, {"a": {"b": 1}}, {"f:a": {"f:b": {}}}) == {"a": {}}
