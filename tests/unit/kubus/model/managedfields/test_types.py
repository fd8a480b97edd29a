"""Elements of items, and types that are told by values."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.managedfields.types import ANYTHING, DEDUCED, DEDUCED_MAP, Fields, ItemError, Items, Leaf, resolved

PORTS = Items(Fields(), ("port", "protocol"), {"protocol": "TCP"})
SET = Items(Leaf("string"))


@pytest.mark.parametrize(
    ("item", "element"),
    [
        ({"port": 80, "protocol": "UDP"}, 'k:{"port":80,"protocol":"UDP"}'),
        ({"port": 80}, 'k:{"port":80,"protocol":"TCP"}'),
        ({"port": 80, "protocol": None}, 'k:{"port":80,"protocol":null}'),
        ({}, 'k:{"protocol":"TCP"}'),
    ],
)
def test_an_item_is_known_by_its_keys_and_their_defaults(item: Any, element: str) -> None:
    assert PORTS.element(item) == element


def test_numbers_and_booleans_are_different_keys() -> None:
    by_k = Items(Fields(), ("k",))
    assert by_k.element({"k": 1}) != by_k.element({"k": True})


@pytest.mark.parametrize(
    ("items", "item", "said"),
    [
        (Items(Fields(), ("a", "b")), {}, 'omits all key fields ["a" "b"]'),
        (PORTS, None, "may not have a null element"),
        (PORTS, "x", "may not have non-map elements"),
        (PORTS, {"port": [1]}, "a key that is no scalar"),
        (Items(Fields(), ("k",)), {"k": {}}, "a key that is no scalar"),
        (SET, {}, "an element that's a map type"),
        (SET, [], "lists as elements"),
        (SET, None, "an explicit null"),
    ],
)
def test_what_cannot_be_told_apart_is_refused_in_kubernetes_words(items: Items, item: Any, said: str) -> None:
    with pytest.raises(ItemError) as refused:
        items.element(item)
    assert said in str(refused.value)


def test_without_a_schema_the_value_decides() -> None:
    assert resolved(DEDUCED, {"a": 1}) is DEDUCED_MAP
    assert resolved(DEDUCED, [1]) is ANYTHING
    assert resolved(DEDUCED, 1, {}) is DEDUCED_MAP
    assert resolved(SET, {}) is SET


def test_a_field_that_is_not_declared_is_what_the_map_holds() -> None:
    assert Fields(items=SET).entry("x") == ("f:x", SET)
    assert Fields().entry("x") == ("f:x", ANYTHING)
