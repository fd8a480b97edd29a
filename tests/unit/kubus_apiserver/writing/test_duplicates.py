"""Fields named twice in a JSON body are found, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus_apiserver.writing.duplicates import duplicate_fields


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', []),
        ('{"a": 1, "a": 2}', ["a"]),
        ('{"a" : 1, "a"\n: 2, "a": 3}', ["a"]),
        ('{"spec": {"list": [{"x": 1}, {"x": 1, "x": 2}]}}', ["spec.list[1].x"]),
        ('{"a": "\\"b\\": 1", "c": "\\"b\\": 2"}', []),
        ('{"a": {"b": 1}, "c": {"b": 1}}', []),
        ('{"a\\\\": 1, "b": 2}', []),
    ],
)
def test_fields_named_twice_are_found(text, found):
    assert duplicate_fields(text.encode(), json.loads(text)) == found


@given(st.recursive(st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each), max_leaves=10))
@settings(max_examples=100)
def test_what_an_encoder_wrote_has_none(value):
    assert duplicate_fields(json.dumps(value).encode(), value) == []
