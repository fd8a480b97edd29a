"""The tree of an expression."""

from __future__ import annotations

from kubus.model.cel import Environment
from kubus.model.cel.syntax import Call, Constant, Field, Loop, Made, Name, Node, tree


def parsed(expression: str) -> Node:
    return tree(Environment({"self": "dyn"}).compile(expression).checked())


def test_each_kind_of_node_is_read() -> None:
    assert parsed("self.a + 'x'") == Call("_+_", (Field(Name("self"), "a", False), Constant("x")))
    assert parsed("has(self.a)") == Field(Name("self"), "a", True)
    assert parsed("self.find('a')") == Call("find", (Name("self"), Constant("a")))
    assert parsed("[1, {'k': true}]") == Made(True, (Constant(None), Made(False, (Constant("k"), Constant(None)))))


def test_a_macro_is_a_loop() -> None:
    loop = parsed("self.all(x, x)")
    assert isinstance(loop, Loop)
    assert (loop.range, loop.first, loop.second) == (Name("self"), "x", "")
    two = parsed("self.all(k, v, v)")
    assert isinstance(two, Loop)
    assert (two.first, two.second) == ("k", "v")
