"""YAML bodies."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kubus.model.codec import DecodeError
from kubus.model.yaml_text import load_all_yaml, load_yaml

texts = st.text(alphabet=st.characters(max_codepoint=0xD7FF), max_size=8)  # YAML has no escapes of surrogate pairs
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("---\n", None),
        ("a: 1", {"a": 1}),
        ("a: [x, 'y', \"z\"]", {"a": ["x", "y", "z"]}),
        ("a: yes\nb: Off", {"a": True, "b": False}),
        ("a: 2020-01-01\nb: 2020-01-01T00:00:00Z", {"a": "2020-01-01", "b": "2020-01-01T00:00:00Z"}),
        ("a: 12:30\nb: 1:2:3.5", {"a": "12:30", "b": "1:2:3.5"}),
        ("a: 0x10\nb: 010\nc: 0o17\nd: 1_000", {"a": 16, "b": 8, "c": 15, "d": 1000}),
        ("a: 1e3\nb: 1.5\nc: '1e3'\nd: !!str 1", {"a": 1000.0, "b": 1.5, "c": "1e3", "d": "1"}),
        ("a: ~\nb: null\nc:", {"a": None, "b": None, "c": None}),
        ("1: a\ntrue: b\n1.5: c", {"1": "a", "true": "b", "1.5": "c"}),
        ("a: &x {b: [1]}\nc: *x", {"a": {"b": [1]}, "c": {"b": [1]}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("a: &x {b: 1}\nc: &y {d: 2}\ne: {<<: [*x, *y]}", {"a": {"b": 1}, "c": {"d": 2}, "e": {"b": 1, "d": 2}}),
        ("a: |\n  b\n  c\n", {"a": "b\nc\n"}),
        ('{"a": {"b": [1, 2.5, null, true]}}', {"a": {"b": [1, 2.5, None, True]}}),
    ],
)
def test_a_text_means_this(text: str, value: Any) -> None:
    assert load_yaml(text) == value
    assert load_yaml(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", 'key "a" already set in map'),
        ("1: a\n'1': b", 'key "1" already set in map'),
        ("a: !!python/object:os.system x", "is not supported"),
        ("a: !!binary aGk=", "is not supported"),
        ("a: !!set {b}", "is not supported"),
        ("a: !mine b", "is not supported"),
        ("a: !mine [b]", "is not supported"),
        ("a: .nan", "a number that JSON does not have"),
        ("a: -.inf", "a number that JSON does not have"),
        ("a: 1e999", "a number that JSON does not have"),
        ("a: *b", "unknown anchor 'b' referenced"),
        ("a: &a [*a]", "unknown anchor 'a' referenced"),
        ("? [a]\n: b", "a key of a map must be a scalar"),
        ("a: {<<: 1}", "map merge requires"),
        ("a\n---\nb", "more than one document"),
        ("a: [", "did not find expected"),
        ("\x00", "yaml:"),
    ],
)
def test_what_json_cannot_say_is_refused(text: str, message: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        load_yaml(text)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_alias_is_a_copy_of_its_own() -> None:
    found = load_yaml("a: &x {b: [1]}\nc: *x")
    found["c"]["b"].append(2)
    assert found["a"] == {"b": [1]}


def test_a_billion_laughs_are_cut_short() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]" for i in range(12)]
    with pytest.raises(DecodeError, match="excessive aliasing"):
        load_yaml("\n".join(lines))


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(DecodeError, match="exceeded max depth"):
        load_yaml(text)


def test_documents_are_read_one_by_one() -> None:
    assert load_all_yaml("a: 1\n---\n---\nb: 2\n...\n") == [{"a": 1}, {"b": 2}]


@settings(max_examples=60)
@given(values)
def test_json_is_yaml(value: Any) -> None:
    assert load_yaml(json.dumps(value)) == value


@settings(max_examples=60)
@given(values)
def test_what_a_yaml_writer_writes_is_read(value: Any) -> None:
    """PyYAML leaves `1e3` without quotes, a text in YAML 1.1 and a number to Kubernetes: those texts are not drawn."""
    written = yaml.safe_dump(value)
    assume(not re.search(r"[0-9]e[-+]?[0-9]|0o[0-7]", written, re.IGNORECASE))
    assert load_yaml(written) == value


@given(st.one_of(st.binary(max_size=40), st.text(alphabet="a:-[]{}&*!|<? \n'\"", max_size=30)))
def test_any_text_is_yaml_or_a_decode_error(data: bytes | str) -> None:
    try:
        found = load_all_yaml(data)
    except DecodeError:
        return
    json.dumps(found)
