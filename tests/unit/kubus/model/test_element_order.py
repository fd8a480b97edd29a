"""The order of merged lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubus.model.element_order import arranged, go_text, identity, unique

letters = st.lists(st.sampled_from("abcdef"), unique=True)


def _items(names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def test_what_the_server_alone_has_keeps_its_place_between_what_is_wanted() -> None:
    merged = _items("abcd")
    assert arranged(merged, _items("db"), merged, "name") == _items("adbc")[:1] + _items("cdb")


def test_new_items_stand_where_they_are_wanted() -> None:
    assert arranged(list("abx"), list("x"), list("ab"), "") == list("xab")


@given(letters, letters)
def test_both_orders_are_kept(served: list[str], wanted: list[str]) -> None:
    merged = unique([*served, *wanted])
    found = arranged(merged, wanted, served, "")
    assert sorted(found) == sorted(merged)
    assert [each for each in found if each in wanted] == wanted
    assert [each for each in found if each not in wanted] == [each for each in served if each not in wanted]


def test_unique_keeps_first_places_and_tells_types_apart() -> None:
    assert unique(["b", "a", "b"]) == ["b", "a"]
    assert unique([1, True, "1", 1]) == [1, True, "1"]
    assert identity({"a": 1}) == identity({"a": 1}) != identity({"a": True})


def test_values_are_printed_as_go_prints_them() -> None:
    assert go_text({"b": [1, True, None], "a": "x"}) == "map[a:x b:[1 true <nil>]]"
