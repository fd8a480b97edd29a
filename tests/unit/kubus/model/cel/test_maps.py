"""Maps made by macros of two variables."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.cel import Environment, EvaluationError

MADE: list[tuple[str, Any]] = [
    ("{'a': 1}.transformMap(k, v, v + 1)", {"a": 2}),
    ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, k)", {"b": "b"}),
    ("['a'].transformMap(i, v, v)", {0: "a"}),
    ("{'a': 'b'}.transformMapEntry(k, v, {v: [k]})", {"b": ["a"]}),
    ("{'a': 1}.transformMap(k, v, null)", {"a": None}),
    ("[3, 4].transformList(i, v, i * v)", [0, 4]),
]


@pytest.mark.parametrize(("expression", "value"), MADE)
def test_maps_are_transformed(expression: str, value: Any) -> None:
    assert Environment({}).compile(expression).evaluate({}) == value


def test_two_entries_of_one_key_are_an_error() -> None:
    program = Environment({}).compile("{'a': 1, 'b': 1}.transformMapEntry(k, v, {v: k})")
    with pytest.raises(EvaluationError, match="already exists"):
        program.evaluate({})
