"""Label and field selectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.selectors import EVERYTHING, NOTHING, FieldRequirement, FieldSelector, LabelSelector

values = st.sampled_from(["", "a", "b", "1"])
keys = st.sampled_from(["x", "y", "z"])
labels = st.dictionaries(keys, values)


def test_null_selects_nothing_and_empty_selects_everything() -> None:
    assert LabelSelector.from_object(None) == NOTHING
    assert LabelSelector.from_object({}) == EVERYTHING == LabelSelector.parse("")
    assert not NOTHING.matches({}) and not NOTHING.everything
    assert EVERYTHING.matches(None) and EVERYTHING.everything


def test_a_selector_object_means_what_its_text_means() -> None:
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["b", "a"]},
            {"key": "old", "operator": "DoesNotExist"},
            {"key": "zone", "operator": "NotIn", "values": ["c"]},
            {"key": "x", "operator": "Exists"},
        ],
    }
    assert LabelSelector.from_object(selector) == LabelSelector.parse("app=web,!old,tier in (a,b),x,zone notin (c)")


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(ValueError, match='"Near" is not a valid label selector operator'):
        LabelSelector.from_object({"matchExpressions": [{"key": "a", "operator": "Near"}]})


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        ("a=1", {"a": "1", "b": "2"}, {"a": "2"}),
        ("a=1,b", {"a": "1", "b": "2"}, {"a": "1"}),
        ("a!=1", {}, {"a": "1"}),
        ("a in (1,2),c notin (3)", {"a": "2"}, {"a": "2", "c": "3"}),
        ("n>5", {"n": "6"}, {"n": "5"}),
        ("a=", {"a": ""}, {}),
    ],
)
def test_a_selector_matches(text: str, matching: dict[str, str], other: dict[str, str]) -> None:
    selector = LabelSelector.parse(text)
    assert selector.matches(matching)
    assert not selector.matches(other)


@given(labels, labels)
def test_a_map_selects_what_has_all_of_it(wanted: dict[str, str], given_labels: dict[str, str]) -> None:
    assert LabelSelector.from_map(wanted).matches(given_labels) == (wanted.items() <= given_labels.items())


@given(labels)
def test_the_text_of_a_selector_parses_back_to_it(wanted: dict[str, str]) -> None:
    selector = LabelSelector.from_map(wanted)
    assert LabelSelector.parse(str(selector)) == selector


def test_a_field_selector_is_parsed() -> None:
    selector = FieldSelector.parse("status.phase!=Running,metadata.name==a\\,b\\=c\\\\,")
    assert selector.requirements == (
        FieldRequirement("metadata.name", "==", "a,b=c\\"),
        FieldRequirement("status.phase", "!=", "Running"),
    )
    assert FieldSelector.parse(str(selector)) == selector
    assert selector.value_of("metadata.name") == "a,b=c\\"
    assert selector.value_of("status.phase") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "invalid selector: 'x'; can't understand 'x'"),
        ("a=b,x", "invalid selector: 'a=b,x'; can't understand 'x'"),
        ("a=b=c", "invalid field selector: unescaped character in value: ="),
        ("a=\\x", "invalid field selector: invalid escape sequence: \\x"),
        ("a=\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_what_is_no_field_selector_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        FieldSelector.parse(text)
    assert str(refusal.value) == message


@given(st.dictionaries(st.sampled_from(["metadata.name", "status.phase"]), st.text(alphabet="a,=\\b", max_size=6)))
def test_a_field_selector_s_text_parses_back_to_it(wanted: dict[str, str]) -> None:
    selector = FieldSelector(tuple(sorted(FieldRequirement(key, "=", value) for key, value in wanted.items())))
    assert FieldSelector.parse(str(selector)) == selector
    assert selector.matches(lambda field: wanted[field])
    assert selector.everything == (not wanted)


def test_a_field_selector_matches_fields() -> None:
    fields = {"metadata.name": "web", "spec.nodeName": ""}
    assert FieldSelector.parse("metadata.name=web,spec.nodeName=").matches(fields.__getitem__)
    assert not FieldSelector.parse("metadata.name!=web").matches(fields.__getitem__)
