"""Strategic merge patch: examples of Kubernetes' behaviour, then the round trip of a patch made from a difference."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus.model.schema import load_schemas
from kubus.model.strategic import strategic_merge


class _Field(NamedTuple):
    ref: str = ""
    items_ref: str = ""
    patch_strategy: str = ""
    patch_merge_key: str = ""


class _Tiny:
    """A schema of one recursive kind."""

    def field(self, name: str, key: str) -> _Field | None:
        assert name == "Thing"
        return {
            "inner": _Field(ref="Thing"),
            "whole": _Field(ref="Thing", patch_strategy="replace"),
            "keyed": _Field(items_ref="Thing", patch_strategy="merge", patch_merge_key="name"),
            "kept": _Field(ref="Thing", patch_strategy="merge,retainKeys"),
            "words": _Field(patch_strategy="merge"),
            "atomic": _Field(items_ref="Thing"),
            "keyless": _Field(items_ref="Thing", patch_strategy="merge"),
        }.get(key)


def merge(before: Any, patch: Any) -> Any:
    kept = copy.deepcopy((before, patch))
    try:
        return strategic_merge(before, patch, _Tiny(), "Thing")
    finally:
        assert (before, patch) == kept


A, B, C = {"name": "a", "v": 1}, {"name": "b", "v": 2}, {"name": "c", "v": 3}


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"x": 1, "y": 2}, {"x": None, "z": 3}, {"y": 2, "z": 3}),
        ({"inner": {"x": 1}}, {"inner": {"y": 2}}, {"inner": {"x": 1, "y": 2}}),
        ({"inner": {"x": 1}}, {"inner": {"$patch": "replace", "y": 2}}, {"inner": {"y": 2}}),
        ({"inner": {"x": 1}}, {"inner": {"$patch": "delete"}}, {"inner": {}}),
        ({"inner": {"x": 1}}, {"inner": 5}, {"inner": 5}),
        ({"whole": {"x": 1}}, {"whole": {"y": 2}}, {"whole": {"y": 2}}),
        ({"unknown": {"x": 1}}, {"unknown": {"y": 2}}, {"unknown": {"x": 1, "y": 2}}),
        ({}, {"inner": {"x": None, "y": {"z": None}}}, {"inner": {"y": {}}}),
        ({}, {"inner": {"$patch": "replace", "x": 1, "$retainKeys": ["x"]}}, {"inner": {"x": 1}}),
        ({"atomic": [A]}, {"atomic": [B]}, {"atomic": [B]}),
        ({"keyed": [A, B]}, {"keyed": [{"name": "b", "v": 9}]}, {"keyed": [A, {"name": "b", "v": 9}]}),
        ({"keyed": [A]}, {"keyed": [B]}, {"keyed": [B, A]}),
        ({"keyed": [A, B]}, {"keyed": [{"name": "a", "$patch": "delete"}]}, {"keyed": [B]}),
        ({"keyed": [A, B]}, {"keyed": [{"$patch": "replace"}, C]}, {"keyed": [C]}),
        ({"keyed": [A]}, {"keyed": [{"name": "a", "$patch": "replace", "w": 1}]}, {"keyed": []}),
        ({}, {"keyed": [{"name": "a", "$patch": "delete"}, B]}, {"keyed": [B]}),
        (
            {"keyed": [A, B]},
            {"$setElementOrder/keyed": [{"name": "b"}, {"name": "a"}]},
            {"keyed": [B, A]},
        ),
        (
            {"keyed": [A, B]},
            {"$setElementOrder/keyed": [{"name": "c"}, {"name": "b"}], "keyed": [C, {"name": "a", "$patch": "delete"}]},
            {"keyed": [C, B]},
        ),
        ({}, {"$setElementOrder/keyed": [{"name": "b"}, {"name": "a"}], "keyed": [B, A]}, {"keyed": [B, A]}),
        ({}, {"$setElementOrder/keyed": [{"name": "b"}]}, {}),
        ({"words": ["a", "b"]}, {"words": ["b", "c"]}, {"words": ["a", "b", "c"]}),
        ({"words": ["a", "b", "a"]}, {"$deleteFromPrimitiveList/words": ["a"]}, {"words": ["b"]}),
        ({}, {"$deleteFromPrimitiveList/words": ["a"]}, {}),
        (
            {"words": ["a", "b"]},
            {"$setElementOrder/words": ["c", "b"], "words": ["c"], "$deleteFromPrimitiveList/words": ["a"]},
            {"words": ["c", "b"]},
        ),
        ({"words": []}, {"words": []}, {"words": []}),
        ({"kept": {"x": 1, "y": 2}}, {"kept": {"$retainKeys": ["y", "z"], "z": 3}}, {"kept": {"y": 2, "z": 3}}),
    ],
)
def test_a_strategic_merge_patch_applies(before: Any, patch: Any, after: Any) -> None:
    assert merge(before, patch) == after


@pytest.mark.parametrize(
    ("before", "patch", "code", "message"),
    [
        ({}, [], 400, "must be an object"),
        ({"keyed": [A]}, {"keyed": [{"v": 1}]}, 422, "map: map[v:1] does not contain declared merge key: name"),
        ({"keyed": [A]}, {"keyed": [{"$patch": "delete"}]}, 422, "does not contain declared merge key: name"),
        ({"keyed": [{"v": 1}]}, {"keyed": [A]}, 422, "does not contain declared merge key: name"),
        ({"keyed": [A]}, {"keyed": [{"name": "a", "$patch": "merge"}]}, 422, "merging lists cannot yet be specified"),
        ({"keyed": [A]}, {"keyed": [{"name": "a", "$patch": "x"}]}, 422, "unknown patch type: x in map: map["),
        ({"inner": {}}, {"inner": {"$patch": "x"}}, 422, "unknown patch type: x in map: map[$patch:x]"),
        ({"keyed": [A]}, {"keyed": [1]}, 422, "list element types are not identical"),
        ({"words": ["a"]}, {"words": [["b"]]}, 422, "lists of lists are not supported"),
        ({"keyless": [A]}, {"keyless": [B]}, 422, "cannot merge lists without merge key"),
        ({}, {"$retainKeys": "x"}, 400, "invalid patch format of retainKeys"),
        ({}, {"$retainKeys": ["x"], "y": 1}, 400, "invalid patch format of retainKeys"),
        ({}, {"$setElementOrder/words": 1}, 400, "invalid patch format of setElementOrder list"),
        ({}, {"$deleteFromPrimitiveList/words": 1}, 400, "invalid patch format of primitive list"),
        ({}, {"$deleteFromPrimitiveList": []}, 400, "invalid patch format of primitive list"),
        (
            {"keyed": [A]},
            {"$setElementOrder/keyed": [{"name": "a"}], "keyed": [B]},
            400,
            "The order in patch list:\n[map[name:b v:2]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
        ),
        ({"keyed": [A]}, {"$setElementOrder/keyed": [1]}, 422, "does not contain declared merge key: name"),
    ],
)
def test_a_wrong_patch_is_refused_in_kubernetes_words(before: Any, patch: Any, code: int, message: str) -> None:
    with pytest.raises(StatusError) as refusal:
        merge(before, patch)
    assert refusal.value.code == code
    assert message in refusal.value.message


def test_what_a_patch_does_not_touch_is_shared() -> None:
    before = {"inner": {"x": 1}, "keyed": [A, B]}
    after = merge(before, {"keyed": [{"name": "b", "v": 9}]})
    assert after["inner"] is before["inner"]
    assert after["keyed"][0] is A


def test_the_real_schema_s_merge_keys_are_used() -> None:
    before = {
        "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "1", "ports": [{"containerPort": 1}]}]}}}
    }
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 2}]}]}}}}
    after = strategic_merge(before, patch, load_schemas(), "io.k8s.api.apps.v1.Deployment")
    ports = [{"containerPort": 2}, {"containerPort": 1}]
    assert after["spec"]["template"]["spec"]["containers"] == [{"name": "a", "image": "1", "ports": ports}]


names = st.lists(st.sampled_from("abcde"), unique=True, max_size=4)
plain_values = st.integers(0, 2)
things = st.deferred(
    lambda: st.fixed_dictionaries(
        {},
        optional={
            "x": plain_values,
            "y": plain_values,
            "inner": things,
            "atomic": st.lists(plain_values, max_size=2),
            "words": names,
            "keyed": keyed_lists,
        },
    )
)
keyed_lists = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcd")}, optional={"v": plain_values, "words": names}),
    unique_by=lambda item: item["name"],
    max_size=4,
)


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A patch from one object to another, as kubectl makes them, without sparing anything."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, new in after.items():
        old = before.get(key)
        if old == new and key in before:
            continue
        if key == "inner" and isinstance(old, dict):
            patch[key] = _difference(old, new)
        elif key == "words" and old is not None:
            patch["$setElementOrder/words"] = new
            patch["$deleteFromPrimitiveList/words"] = [each for each in old if each not in new]
            patch["words"] = [each for each in new if each not in old]
        elif key == "keyed" and old is not None:
            patch["$setElementOrder/keyed"] = [{"name": each["name"]} for each in new]
            patch["keyed"] = _list_difference(old, new)
        else:
            patch[key] = new
    return patch


def _list_difference(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    were = {each["name"]: each for each in old}
    are = {each["name"] for each in new}
    changed = [{**_difference(were.get(each["name"], {}), each), "name": each["name"]} for each in new]
    return changed + [{"name": name, "$patch": "delete"} for name in were if name not in are]


@settings(max_examples=200)
@given(things, things)
def test_a_patch_made_from_a_difference_leads_to_the_other_object(before: Any, after: Any) -> None:
    assert merge(before, _difference(before, after)) == after


@settings(max_examples=50)
@given(things)
def test_an_empty_patch_changes_nothing(thing: Any) -> None:
    assert merge(thing, {}) == thing
