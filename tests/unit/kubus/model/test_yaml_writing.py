"""JSON values as YAML: whatever is written is read back as it was, by this project's reader and by another."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.yaml_text import load_yaml
from kubus.model.yaml_writing import write_yaml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}\n"),
        ([], "[]\n"),
        ({"b": 1, "a": [{"x": None, "y": True}, []]}, "a:\n- x: null\n  'y': true\n- []\nb: 1\n".replace("'", '"')),
        ({"word": "yes", "number": "1.0", "path": "/a/b-c.d"}, 'number: "1.0"\npath: /a/b-c.d\nword: "yes"\n'),
        ({"text": 'a "b"\n\x07'}, 'text: "a \\"b\\"\\n\\x07"\n'),
    ],
)
def test_values_look_as_people_write_them(value, text):
    assert write_yaml(value).decode() == text


@given(VALUES)
@settings(max_examples=150)
def test_what_is_written_is_read_back(value):
    assert load_yaml(write_yaml(value)) == value


@given(st.dictionaries(TEXTS, TEXTS, max_size=5))
@settings(max_examples=80)
def test_another_reader_reads_the_same_text(value):
    assert yaml.safe_load(write_yaml(value)) == value


@pytest.mark.parametrize("text", ["1e3", "0E0", "0o7", "+.5e-1", "yes", "0x1f", "2026-01-01", "~", ""])
def test_texts_that_look_like_something_else_stay_texts(text: str) -> None:
    assert load_yaml(write_yaml({text: text})) == {text: text}
