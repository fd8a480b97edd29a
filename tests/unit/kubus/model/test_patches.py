"""JSON patch and merge patch: the RFCs' examples, refusals, and a plain second implementation."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus.model.limits import COPIED_VALUES_MAX
from kubus.model.patches import equal_json, json_patch, merge_patch

keys = st.sampled_from(["a", "b", "c/d", "e~f", ""])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["", "x"]))
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner)), max_leaves=8
)
objects = st.dictionaries(keys, values, max_size=3)


@pytest.mark.parametrize(
    ("before", "ops", "after"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"foo": "bar", "baz": "qux"}),
        ({"foo": [1, 2]}, [{"op": "add", "path": "/foo/1", "value": 3}], {"foo": [1, 3, 2]}),
        ({"foo": [1]}, [{"op": "add", "path": "/foo/-", "value": [2]}], {"foo": [1, [2]]}),
        ({"foo": [1, 2]}, [{"op": "remove", "path": "/foo/-1"}], {"foo": [1]}),
        ({"foo": [1, 2]}, [{"op": "add", "path": "/foo/-1", "value": 3}], {"foo": [1, 2, 3]}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
        ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
        ({"a": [1, 2, 3]}, [{"op": "move", "from": "/a/0", "path": "/a/2"}], {"a": [2, 3, 1]}),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"a": 1}, [{"op": "test", "path": "/b", "value": None}], {"a": 1}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
        ({"": 1}, [{"op": "remove", "path": "/"}], {}),
        (
            {"a": {"x": 1}},
            [
                {"op": "copy", "from": "/a", "path": "/b"},
                {"op": "replace", "path": "/b/x", "value": 2},
                {"op": "replace", "path": "/a/x", "value": 3},
            ],
            {"a": {"x": 3}, "b": {"x": 2}},
        ),
    ],
)
def test_a_json_patch_applies(before: Any, ops: Any, after: Any) -> None:
    kept = copy.deepcopy((before, ops))
    assert json_patch(before, ops) == after
    assert (before, ops) == kept


@pytest.mark.parametrize(
    "op",
    [
        {"op": "remove", "path": "/missing"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "add", "path": "/missing/x", "value": 1},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "add", "path": "/a/x", "value": 1},
        {"op": "add", "path": "/a"},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "value": 1},
        {"op": "test", "path": "/a", "value": True},
        {"op": "move", "from": "/list", "path": "/list/0"},
        {"op": "copy", "from": "/missing", "path": "/x"},
        {"op": "explode", "path": "/a"},
        {"op": "replace", "path": "", "value": []},
        {},
    ],
)
def test_a_json_patch_that_does_not_apply_is_unprocessable(op: dict[str, Any]) -> None:
    with pytest.raises(StatusError) as refusal:
        json_patch({"a": 1, "list": [1]}, [op])
    assert (refusal.value.code, refusal.value.reason) == (422, "Invalid")
    assert refusal.value.message == "the server rejected our request due to an error in our request"


@pytest.mark.parametrize(
    ("patch", "code"),
    [({}, 400), ("x", 400), ([1], 400), ([{"op": "test", "path": "", "value": {}}] * 10_001, 413)],
)
def test_what_is_no_json_patch_is_refused(patch: Any, code: int) -> None:
    with pytest.raises(StatusError) as refusal:
        json_patch({}, patch)
    assert refusal.value.code == code


def test_copies_cannot_double_an_object_for_ever() -> None:
    bomb = [{"op": "add", "path": "/a", "value": ["x" * 100] * 100}]
    bomb += [{"op": "copy", "from": "", "path": f"/{step}"} for step in range(100)]
    with pytest.raises(StatusError) as refusal:
        json_patch({}, bomb)
    assert refusal.value.code == 422


@pytest.mark.parametrize("last", [[], [{"op": "copy", "from": "/a", "path": "/b"}, {"op": "remove", "path": "/a"}]])
def test_operations_cannot_pile_up_an_object_that_is_too_deep(last: list[dict[str, Any]]) -> None:
    tower = [{"op": "add", "path": "/a" * depth, "value": {}} for depth in range(1, 500)]
    with pytest.raises(StatusError) as refusal:
        json_patch({}, [*tower, *last])
    assert refusal.value.code == 422


def test_what_a_patch_does_not_touch_is_shared() -> None:
    before = {"a": {"x": 1}, "b": {"y": [1]}}
    after = json_patch(before, [{"op": "add", "path": "/a/z", "value": 2}])
    assert after["b"] is before["b"]
    assert merge_patch(before, {"a": {"x": None}})["b"] is before["b"]


def _plain_step(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return step
    if isinstance(value, list):
        return int(step)
    raise LookupError(step)


def _plain(document: Any, op: dict[str, Any]) -> Any:
    """A JSON patch operation, as plainly as it can be put: copy everything, then edit."""
    document = {"root": copy.deepcopy(document)}
    steps = ["root", *(step.replace("~1", "/").replace("~0", "~") for step in op["path"].split("/")[1:])]
    parent: Any = document
    for step in steps[:-1]:
        parent = parent[_plain_step(parent, step)]
    at = _plain_step(parent, steps[-1])
    if op["op"] == "add" and isinstance(parent, list):
        if at > len(parent):
            raise LookupError(at)
        parent.insert(at, op["value"])
    elif op["op"] == "add":
        parent[at] = op["value"]
    elif op["op"] == "remove":
        del parent[at]
    else:
        parent[at]
        parent[at] = op["value"]
    return document["root"]


pointers = st.lists(st.sampled_from(["a", "b", "c~1d", "e~0f", "0", "1"]), min_size=1, max_size=3).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace"]), "path": pointers, "value": values}
)


@settings(max_examples=200)
@given(objects, st.lists(operations, max_size=4))
def test_a_json_patch_does_what_a_plain_implementation_does(before: Any, ops: Any) -> None:
    expected: Any = before
    try:
        for op in ops:
            expected = _plain(expected, op)
    except (LookupError, ValueError, TypeError):
        expected = None
    kept = copy.deepcopy((before, ops))
    try:
        found = json_patch(before, ops)
    except StatusError:
        found = None
    assert found == expected
    assert (before, ops) == kept


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": "foo"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_a_merge_patch_applies(before: Any, patch: Any, after: Any) -> None:
    assert merge_patch(before, patch) == after


def _plain_merge(target: Any, patch: Any) -> Any:
    """The pseudo-code of RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = _plain_merge(target.get(name), value)
    return target


@given(objects, objects)
def test_a_merge_patch_does_what_the_rfc_s_pseudo_code_does(before: Any, patch: Any) -> None:
    kept = copy.deepcopy((before, patch))
    assert merge_patch(before, patch) == _plain_merge(copy.deepcopy(before), copy.deepcopy(patch))
    assert (before, patch) == kept


def test_a_merge_patch_must_be_an_object() -> None:
    with pytest.raises(StatusError) as refusal:
        merge_patch({}, [])
    assert refusal.value.code == 400


def test_json_equality_tells_true_from_one() -> None:
    assert equal_json({"a": [1.0]}, {"a": [1]})
    assert not equal_json({"a": [True]}, {"a": [1]})
    assert not equal_json([], {})


@pytest.mark.parametrize("seed", [[], [1], {"a": 1}, [{}, {}], ["x" * 1000]], ids=str)
def test_doubling_copies_end_before_they_cost_much(seed: Any) -> None:
    def step(number: int) -> dict[str, str]:
        return {"op": "copy", "from": "/a", "path": f"/a/{'-' if isinstance(seed, list) else number}"}

    def values(value: Any) -> int:
        below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + sum(map(values, below))

    with pytest.raises(StatusError) as refused:
        json_patch({"a": seed}, [step(each) for each in range(20)])
    assert refused.value.code == 422
    for count in range(20):
        try:
            done = json_patch({"a": seed}, [step(each) for each in range(count)])
        except StatusError:
            return
        assert values(done) <= 2 * COPIED_VALUES_MAX
