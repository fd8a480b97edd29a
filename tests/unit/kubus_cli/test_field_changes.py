"""Which fields changed, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus_cli.field_changes import field_changes, summary

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["spec", "status", "data"]), VALUES)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"spec": {"replicas": 1}}, {"spec": {"replicas": 3}}, "spec.replicas 1→3"),
        ({"spec": {}}, {"spec": {"nodeName": "n1"}}, "spec.nodeName=n1"),
        ({"spec": {"nodeName": "n1"}}, {"spec": {}}, "spec.nodeName removed"),
        ({"data": {"a": "x"}}, {"data": {"a": "a b"}}, "data.a x→a b"),
        ({"metadata": {"resourceVersion": "1"}}, {"metadata": {"resourceVersion": "2"}}, ""),
        (
            {"containers": [{"name": "web", "image": "a"}]},
            {"containers": [{"name": "log", "image": "l"}, {"name": "web", "image": "b"}]},
            'containers[log]={"name":"log","image":"l"}, containers[web].image a→b',
        ),
        (
            {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "1"}]},
            {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2"}]},
            "conditions[Ready].status False→True",
        ),
        ({}, {"conditions": [{"type": "Ready", "status": "True"}]}, "conditions[Ready]=True"),
        ({"args": ["a"]}, {"args": ["a", "b"]}, 'args ["a"]→["a","b"]'),
    ],
)
def test_changes_are_paths_a_person_reads(before, after, said):
    assert summary(field_changes(before, after)) == said


def test_only_the_first_few_are_shown():
    changes = field_changes({"data": {}}, {"data": {str(number): number for number in range(9)}})
    assert summary(changes).endswith("data.4=4, +4 more")


@given(OBJECTS)
def test_the_same_object_has_no_changes(obj):
    assert field_changes(obj, obj) == []


def bare(value: object) -> object:
    """A value without what says nothing: nulls, and what is empty without them."""
    if not isinstance(value, dict):
        return value
    kept = {key: bare(each) for key, each in value.items()}
    return {key: each for key, each in kept.items() if each not in (None, {}, [], "")}


@given(OBJECTS, OBJECTS)
def test_different_objects_have_some_and_each_can_be_told(before, after):
    changes = field_changes(before, after)
    assert all("\n" not in str(each) for each in changes)
    if bare(before) != bare(after):
        assert changes
