"""Expressions are rewritten for the library, and places in its words counted back."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.cel import CompileError, Environment
from kubus.model.cel.dialect import Misnamed, rewritten

REWRITTEN = [
    ("[1].indexOf(1)", "[1].indexof(1)"),
    ("a.lastIndexOf('x')", "a.lastindexof('x')"),
    ("'.indexOf(' + r'\\' // .indexOf(\n", "'.indexOf(' + r'\\' // .indexOf(\n"),
    ("object.indexOf == 1", "object.indexOf == 1"),
    (
        "format.named('x').value().validate((y)).hasValue()",
        "format.named('x')[?0].value().validate((y))[?0].hasValue()",
    ),
    ("other.named('x')", "other.named('x')"),
]


@pytest.mark.parametrize(("expression", "expected"), REWRITTEN)
def test_only_what_the_library_lacks_is_rewritten(expression: str, expected: str) -> None:
    assert rewritten(expression).text == expected


def test_an_optional_variable_is_the_first_of_a_list() -> None:
    found = rewritten("old.hasValue() && a.old && 'old' == s", optional=("old",))
    assert found.text == "old[?0].hasValue() && a.old && 'old' == s"


CONSTRUCTED: list[tuple[str, Any]] = [
    ("Object{spec: Object.spec{replicas: 1}}", {"spec": {"replicas": 1}}),
    (
        "Object{?spec: optional.none(), metadata: Object.metadata{labels: {'a': 'b'}}}",
        {"metadata": {"labels": {"a": "b"}}},
    ),
    ("Object{a: [1].map(n, Object.a{n: n, `x.y`: 1, c__dash__d: 2})}", {"a": [{"n": 1, "x.y": 1, "c-d": 2}]}),
    ("[JSONPatch{op: 'add', path: '/a', value: Object{b: 1}}]", [{"op": "add", "path": "/a", "value": {"b": 1}}]),
    ("true ? Object{} : Object{spec: Object.spec{}}", {}),
]


@pytest.mark.parametrize(("expression", "value"), CONSTRUCTED)
def test_objects_are_constructed_as_maps(expression: str, value: Any) -> None:
    assert Environment({}, constructs=True).compile(expression).evaluate({}) == value


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("Object{spec: Object.status{}}", 'unexpected type name "Object.status", expected "Object.spec"'),
        ("Object{a: [Object{}]}", 'unexpected type name "Object", expected "Object.a"'),
        ("[JSONPatch{operation: 'add'}]", "undefined field 'operation'"),
    ],
)
def test_a_type_has_the_name_of_the_field_that_it_is_for(expression: str, words: str) -> None:
    with pytest.raises(Misnamed, match=words):
        rewritten(expression, constructs=True)
    with pytest.raises(CompileError, match=words):
        Environment({}, constructs=True).compile(expression)


def test_places_in_errors_are_those_of_the_author() -> None:
    environment = Environment({"self": "dyn", "old": "list"}, optional=("old",))
    with pytest.raises(CompileError) as told:
        environment.compile("old.hasValue() &&\n nothing")
    assert str(told.value).startswith("ERROR: <input>:2:2: undeclared reference to 'nothing'")
    assert str(told.value).endswith(" |  nothing\n | .^")
    with pytest.raises(CompileError, match=r"<input>:1:18: undeclared reference to 'x' "):
        environment.compile("old.hasValue()&& x.a == 1")
    with pytest.raises(CompileError, match=r"for 'indexOf' applied to '\(bool, int\)'"):
        environment.compile("true.indexOf(2)")
