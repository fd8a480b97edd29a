"""The grammar of selector texts: what is refused, and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubus.model.label_grammar import parse_requirements


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a=b,,", "found ',', expected: identifier after ','"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a==(", "unable to parse requirement: found '(', expected: identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a in (b,=)", "unable to parse requirement: found '=', expected: ',', or identifier"),
        (
            "a in ()",
            "unable to parse requirement: values: Invalid value: []: "
            "for 'in', 'notin' operators, values set can't be empty",
        ),
    ],
)
def test_a_text_that_is_no_selector_is_refused_in_kubernetes_words(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse_requirements(text)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", []),
        ("  ", []),
        ("a", ["a"]),
        ("!a", ["!a"]),
        ("a = b", ["a=b"]),
        ("a==b,c!=d", ["a==b", "c!=d"]),
        ("a=", ["a="]),
        ("a>1,b<2", ["a>1", "b<2"]),
        ("in in (in,notin)", ["in in (in,notin)"]),
        ("a notin(x , y)", ["a notin (x,y)"]),
        ("a in (,b)", ["a in (,b)"]),
        ("a in (b,,)", ["a in (,b)"]),
        ("example.com/a=b", ["example.com/a=b"]),
    ],
)
def test_a_selector_means_these_requirements(text: str, meaning: list[str]) -> None:
    assert [str(each) for each in parse_requirements(text)] == meaning


@given(st.text(alphabet="ab!=<>(), inot/", max_size=16))
def test_any_text_is_a_selector_or_a_value_error(text: str) -> None:
    try:
        found = parse_requirements(text)
    except ValueError:
        return
    assert parse_requirements(",".join(str(each) for each in found)) == found
