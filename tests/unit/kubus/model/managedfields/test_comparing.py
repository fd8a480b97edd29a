"""Comparisons against flat dicts of paths."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.managedfields.comparing import compare, created, whole
from kubus.model.managedfields.schema_types import SchemaTypes
from kubus.model.managedfields.types import DEDUCED_MAP, Fields, ItemError, Items, Leaf
from kubus.model.schema import load_schemas

from .oracle import as_set, differences, flat, random_type, random_value

SEEDS = st.integers(0, 10**6)
TYPES = SchemaTypes(load_schemas())


@given(SEEDS)
def test_what_differs_is_what_differs_path_by_path(seed: int) -> None:
    random = Random(seed)
    type_ = random_type(random)
    old, new = random_value(random, type_), random_value(random, type_)
    found = compare(type_, old, new)
    assert tuple(map(as_set, found)) == differences(type_, old, new)


@given(SEEDS)
def test_a_creation_adds_everything(seed: int) -> None:
    random = Random(seed)
    type_ = random_type(random)
    value = random_value(random, type_)
    assert as_set(compare(type_, {}, value).added) == set(flat(type_, value))
    assert as_set({"f:it": whole(type_, value)}) == {("f:it", *path) for path in [*flat(type_, value), ()]}


ODD = st.sampled_from([None, {}, [], 0, "", {"x": None}, {"name": "a"}, [{"name": "b"}], [None], True])
SKIPPED = st.sampled_from([{}, {"f:metadata": {"f:name": {}}}, {"f:metadata": {}}, {"f:status": {}}])


@given(SEEDS, SKIPPED)
def test_what_a_creation_writes_is_found_as_well_without_comparing(seed: int, skipped: Any) -> None:
    random = Random(seed)
    type_ = random_type(random)
    value = random_value(random, type_)
    assert created(type_, value, skipped) == compare(type_, {}, value, skipped).written


@given(
    st.dictionaries(st.sampled_from(["metadata", "spec", "status", "kind", "other"]), ODD),
    st.dictionaries(st.sampled_from(["name", "labels", "finalizers", "ownerReferences", "other"]), ODD),
    st.dictionaries(st.sampled_from(["containers", "nodeName", "securityContext", "tolerations", "volumes"]), ODD),
    SKIPPED,
)
def test_odd_objects_are_written_as_they_are_compared(top: Any, metadata: Any, spec: Any, skipped: Any) -> None:
    value = {"metadata": metadata, "spec": spec, **top}
    for type_ in (TYPES["io.k8s.api.core.v1.Pod"], TYPES["io.k8s.api.core.v1.ConfigMap"], DEDUCED_MAP):
        assert outcome(lambda: created(type_, value, skipped)) == outcome(  # noqa: B023  called at once
            lambda: compare(type_, {}, value, skipped).written  # noqa: B023
        )


def outcome(doing: Callable[[], Any]) -> Any:
    """What comes of it, or of which kind the refusal is."""
    try:
        return doing()
    except ItemError as error:
        return str(error)


@pytest.mark.parametrize(
    ("old", "new", "removed", "modified", "added"),
    [
        ({"a": 1}, {"a": "1"}, {}, {"f:a": {}}, {}),
        ({"a": {"b": 1}}, {"a": 2}, {"f:a": {"f:b": {}}}, {"f:a": {}}, {}),
        ({"a": 2}, {"a": {"b": 1}}, {}, {"f:a": {}}, {"f:a": {"f:b": {}}}),
        ({"a": [1]}, {"a": [2]}, {}, {"f:a": {}}, {}),
        ({"a": {}}, {"a": {"b": 1}}, {}, {}, {"f:a": {"f:b": {}}}),
        ({"a": None}, {"a": {}}, {}, {"f:a": {}}, {}),
        ({}, {"a": {"b": {}}}, {}, {}, {"f:a": {".": {}, "f:b": {}}}),
        ({"a": 1}, {"a": 1.0}, {}, {}, {}),
    ],
)
def test_without_a_schema_values_are_compared_as_what_they_are(
    old: Any, new: Any, removed: Any, modified: Any, added: Any
) -> None:
    assert compare(DEDUCED_MAP, old, new) == (removed, modified, added)


@pytest.mark.parametrize(
    ("old", "new", "removed", "modified", "added"),
    [
        (["x", "x"], ["x", "x"], {}, {}, {}),
        (["x", "x"], ["x"], {'v:"x"': {}}, {}, {'v:"x"': {}}),
        (["x"], ["x", "x"], {'v:"x"': {}}, {}, {'v:"x"': {}}),
        (["x", "x"], ["y"], {'v:"x"': {}}, {}, {'v:"y"': {}}),
        (["x", "x"], ["x", "x", "x"], {}, {'v:"x"': {}}, {}),
    ],
)
def test_duplicates_count_as_one_leaf(old: Any, new: Any, removed: Any, modified: Any, added: Any) -> None:
    type_ = Fields()
    type_.declare("s", Items(Leaf("string")))
    wrapped = [{"f:s": node} if node else {} for node in (removed, modified, added)]
    assert compare(type_, {"s": old}, {"s": new}) == tuple(wrapped)


def test_the_order_of_a_list_is_nobodys() -> None:
    type_ = Fields()
    type_.declare("s", Items(Leaf("string")))
    assert not any(compare(type_, {"s": ["x", "y"]}, {"s": ["y", "x"]}))


def test_what_is_skipped_is_not_looked_at_nor_what_is_below() -> None:
    old, new = {"a": {"b": 1, "c": 1}, "d": {"e": 1}}, {"a": {"b": 2, "c": 2}, "d": {"e": 2, "f": 3}}
    found = compare(DEDUCED_MAP, old, new, {"f:a": {"f:b": {}}, "f:d": {}})
    assert found == ({}, {"f:a": {"f:c": {}}}, {})
    assert compare(DEDUCED_MAP, {}, {"d": 1}, {"f:d": {}}) == ({}, {}, {})
    assert compare(DEDUCED_MAP, {"d": 1}, {}, {"f:d": {}}) == ({}, {}, {})


def test_structs_that_are_always_there_are_owned_by_nobody_who_creates() -> None:
    pod = TYPES["io.k8s.api.core.v1.Pod"]
    made = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    item = {".": {}, "f:name": {}, "f:image": {}, "f:resources": {}}
    expected = {
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
        "f:spec": {"f:containers": {'k:{"name":"c"}': item}},
    }
    assert compare(pod, {}, made) == ({}, {}, expected)
    assert compare(pod, made, {}) == (expected, {}, {})


def test_a_shape_seen_before_is_not_taken_for_another() -> None:
    type_ = TYPES["io.k8s.api.core.v1.EnvVar"]
    first, second = whole(type_, {"name": "a", "value": "b"}), whole(type_, {"name": "c", "value": "d"})
    assert first is second
    deep = {"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}
    assert whole(type_, deep) == {".": {}, "f:name": {}, "f:valueFrom": {".": {}, "f:fieldRef": {}}}
