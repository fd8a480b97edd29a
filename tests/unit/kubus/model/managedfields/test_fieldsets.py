"""Sets of fields against sets of paths, and the text that Kubernetes writes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.managedfields.fieldsets import (
    LEAF,
    FieldsError,
    difference,
    has,
    intersection,
    key_element,
    path_text,
    paths,
    read_fields,
    recursive_difference,
    union,
    value_element,
    with_member,
    without_member,
)

from .oracle import as_fields, as_set, random_fields

SEEDS = st.integers(0, 10**6)


@given(SEEDS)
def test_sets_behave_like_sets_of_paths(seed: int) -> None:
    random = Random(seed)
    one, other = random_fields(random), random_fields(random)
    a, b = as_fields(one), as_fields(other)
    assert as_set(a) == one
    assert as_set(union(a, b)) == one | other
    assert as_set(difference(a, b)) == one - other
    assert as_set(intersection(a, b)) == one & other
    under = {path for path in one if any(path[: len(each)] == each for each in other)}
    assert as_set(recursive_difference(a, b)) == one - under
    assert all(has(a, path) for path in one)
    assert not any(has(a, path) for path in other - one)


@given(SEEDS)
def test_what_is_empty_is_written_as_nothing(seed: int) -> None:
    random = Random(seed)
    a, b = as_fields(random_fields(random)), as_fields(random_fields(random))
    for made in (union(a, b), difference(a, b), intersection(a, b), recursive_difference(a, b)):
        assert made == as_fields(as_set(made))


def test_nothing_that_is_given_is_edited() -> None:
    one = {"f:a": {".": {}, "f:b": {}}}
    for made in (union, difference, intersection, recursive_difference):
        made(one, {"f:a": {"f:b": {}, "f:c": {}}})
    assert one == {"f:a": {".": {}, "f:b": {}}}
    assert LEAF == {}


def test_a_member_keeps_what_is_below() -> None:
    assert with_member({"f:a": {}}) == {".": {}, "f:a": {}}
    assert with_member(None) == {}
    assert without_member({".": {}, "f:a": {}}) == {"f:a": {}}


def test_elements_are_written_as_go_writes_them() -> None:
    assert key_element(("containerPort", "protocol"), 80, "TCP") == 'k:{"containerPort":80,"protocol":"TCP"}'
    assert value_element("a<b&c>") == 'v:"a\\u003cb\\u0026c\\u003e"'
    assert value_element(True) == "v:true"
    assert value_element(1) == "v:1"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:spec", "f:replicas"), ".spec.replicas"),
        (("f:containers", 'k:{"name":"web"}', "f:image"), '.containers[name="web"].image'),
        (("f:ports", 'k:{"containerPort":80,"protocol":"TCP"}'), '.ports[containerPort=80,protocol="TCP"]'),
        (("f:finalizers", 'v:"x"'), '.finalizers[="x"]'),
        (("f:a", "i:3"), ".a[3]"),
    ],
)
def test_paths_are_shown_as_kubernetes_shows_them(path: tuple[str, ...], text: str) -> None:
    assert path_text(path) == text


def test_members_come_before_what_is_below_them() -> None:
    fields = {"f:b": {".": {}, "f:x": {}}, "f:a": {"f:y": {}}, 'v:"z"': {}}
    assert list(paths(fields)) == [("f:b",), ('v:"z"',), ("f:a", "f:y"), ("f:b", "f:x")]


def test_what_clients_send_is_brought_into_one_spelling() -> None:
    sent = {"f:a": {".": {}, 'k:{"b": 1, "a": "x"}': {}, 'v: "y"': {}, "i: 2": {}}}
    assert read_fields(sent) == {"f:a": {".": {}, 'k:{"a":"x","b":1}': {}, 'v:"y"': {}, "i:2": {}}}


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {"a": {}},
        {"f:a": 1},
        {"x:a": {}},
        {"k:[]": {}},
        {"k:{": {}},
        {"i:x": {}},
        {"i:1.5": {}},
        {".": {"f:a": {}}},
    ],
)
def test_what_is_no_set_of_fields_is_refused(bad: Any) -> None:
    with pytest.raises(FieldsError):
        read_fields(bad)
