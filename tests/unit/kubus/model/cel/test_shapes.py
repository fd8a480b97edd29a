"""Shapes become types that the library's checker knows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.cel import CompileError, Environment
from kubus.model.cel.shapes import DYN, Shape, checked

INNER = Shape(
    "object",
    lambda: {
        "name": Shape("string"),
        "labels": Shape("map", items=Shape("string")),
        "grid": Shape("list", items=Shape("list", items=Shape("int"))),
    },
    "Inner",
)
OUTER: Shape = Shape(
    "object",
    lambda: {
        "inner": INNER,
        "again": OUTER,
        "foo_bar": Shape("int"),
        "fooBar": Shape("int"),
        "__namespace__": Shape("string"),
        "maybe": Shape("int", nullable=True),
        "by_name": Shape("map", items=INNER),
        "all": Shape("list", items=INNER),
        "at": Shape("timestamp"),
        "anything": DYN,
    },
    "Outer",
)


def environment() -> Environment:
    made = checked({"self": OUTER, "many": Shape("list", items=OUTER), "number": Shape("int", nullable=True)})
    return Environment(made.types, files=made.files)


@pytest.mark.parametrize(
    "expression",
    [
        "self.again.again.inner.name == 'x'",
        "self.maybe == null || self.maybe + 1 == 2",
        "self.by_name['a'].labels.exists(k, k == 'x')",
        "self.anything.is.free == 1",
        "self.at < timestamp('2026-01-01T00:00:00Z') && self.fooBar == self.foo_bar",
        "many[0].inner.grid[0][0] == 1 && number != null",
    ],
)
def test_what_fits_compiles(expression: str) -> None:
    assert environment().compile(expression).type == "bool"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("self.inner.nam == 'x'", "<input>:1:11: undefined field 'nam'\n"),
        ("has(self.again.nothing)", "undefined field 'nothing'\n"),
        ("self.by_name['a'].name > 1", r"no matching overload for '_>_' applied to '\(string, int\)'"),
        ("self.all.all(i, i.name == 1)", r"'_==_' applied to '\(string, int\)'"),
        ("self.at > 5", r"'_>_' applied to '\(timestamp, int\)'"),
        ("self.inner > 1", r"'_>_' applied to '\(object, int\)'"),
        ("self.fooBar == null", r"'_==_' applied to '\(int, null\)'"),
        ("self.fooBar == self.__namespace__", r"'_==_' applied to '\(int, string\)'"),
    ],
)
def test_what_does_not_fit_is_refused_in_kubernetes_words(expression: str, words: str) -> None:
    with pytest.raises(CompileError, match=words):
        environment().compile(expression)


NAMES = st.from_regex(r"[a-zA-Z_]([a-zA-Z0-9_]{0,4}|oo_?(Entry|entry|Bar|bar))", fullmatch=True)
KINDS = st.sampled_from(["bool", "int", "double", "string", "bytes", "timestamp", "duration", "dyn"])
SHAPES = st.builds(lambda kind, maybe: Shape(kind, nullable=maybe), KINDS, st.booleans())
HELD = SHAPES | st.builds(lambda kind, items: Shape(kind, items=items), st.sampled_from(["list", "map"]), SHAPES)


@settings(max_examples=60)
@given(st.dictionaries(NAMES, HELD, min_size=1, max_size=8))
def test_whatever_fields_are_called_each_can_be_named(fields: dict[str, Shape]) -> None:
    made = checked({"self": Shape("object", lambda: fields, "Any")})
    environment = Environment(made.types, files=made.files)
    for name in fields:
        if name not in ("in", "as", "if", "for", "let", "var", "null", "true", "else", "void", "loop"):
            assert environment.compile(f"has(self.{name})").type == "bool"


def test_an_object_with_too_many_fields_is_anything() -> None:
    fields = {f"f{number}": Shape("int") for number in range(9_000)}
    many = Shape("object", lambda: fields, "Many")
    made = checked({"self": many, "outer": Shape("object", lambda: {"many": many}, "Outer")})
    environment = Environment(made.types, files=made.files)
    assert environment.compile("self.f1 == self.unknown && outer.many.f1 == 'x'").type == "bool"
