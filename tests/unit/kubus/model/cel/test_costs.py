"""What expressions cost at worst."""

from __future__ import annotations

import pytest

from kubus.model.cel import Environment
from kubus.model.cel.costs import estimated, refusal
from kubus.model.cel.shapes import Shape, checked

TEXT = Shape("string", most=100)
SHAPE = Shape(
    "object",
    lambda: {
        "n": Shape("int"),
        "text": TEXT,
        "long": Shape("string"),
        "texts": Shape("list", items=TEXT, most=10),
        "byName": Shape("map", items=Shape("int"), most=20),
    },
    "Self",
)
TYPES = checked({"self": SHAPE})
ENVIRONMENT = Environment(TYPES.types, files=TYPES.files)
COSTS = [
    ("true", 0),
    ("self.n > 1", 3),
    ("has(self.n)", 1),
    ("self.text == 'abcde'", 3),
    ("self.text.startsWith('a')", 12),
    ("self.text.contains('aaaaaaaaaaa')", 2 + 10 * 2),
    ("self.text.matches('aaaa')", 2 + 11),
    ("self.texts.all(t, t.size() > 3)", 2 + 10 * 5),
    ("self.texts.exists(t, t == 'x') || self.n == 1", 2 + 10 * 6 + 3),
    ("self.byName.all(k, v, v > 1)", 2 + 20 * 4),
    ("self.n > 1 ? self.n : self.text.size()", 3 + 3),
    ("[1, 2].size() == 2", 10 + 1 + 1),
    ("self.text in self.texts", 4 + 10),
    ("self.?texts.orValue([]).all(t, t.size() > 3)", 3 + 10 + 10 * 5),
    ("dyn(self.texts).all(t, t.size() > 3)", 3 + 10 * 5),
    ("cel.bind(t, self.texts, t.all(x, x.size() > 3))", 13 + 10 * 5),
    ("self.texts.filter(t, t.size() > 3).map(t, t.size()).all(n, n > 1)", 2 + 10 * 16 + 10 * 14 + 10 * 4),
    ("optional.of(self.texts).value().all(t, t.size() > 3)", 4 + 10 * 5),
    ("(self.text + self.text).startsWith('x')", 4 + 20 + 20),
]


@pytest.mark.parametrize(("expression", "cost"), COSTS)
def test_an_expression_costs_what_its_parts_do(expression: str, cost: float) -> None:
    program = ENVIRONMENT.compile(expression)
    assert estimated(program.checked(), {"self": SHAPE}) == pytest.approx(cost, rel=0.35, abs=2)


def test_what_has_no_bound_is_as_large_as_a_request() -> None:
    cost = estimated(ENVIRONMENT.compile("self.long.contains(self.long)").checked(), {"self": SHAPE})
    assert cost > 10_000_000_000


@pytest.mark.parametrize(("cost", "shown"), [(10, ""), (12, "1.200000x"), (25, "2.5x"), (2_000, "more than 100x")])
def test_the_refusal_names_the_factor(cost: float, shown: str) -> None:
    said = refusal(cost, 10)
    assert bool(said) == bool(shown)
    assert said.startswith(f"estimated rule cost exceeds budget by factor of {shown} (try" if shown else "")
