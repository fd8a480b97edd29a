"""What an expression costs at worst, before it is ever run: a loop in a loop over lists without a bound is refused.

The estimate goes through the syntax tree with the shapes of the variables, as cel-go's does: naming a variable or a
field costs one, comparing or searching a text a tenth of its length, a loop what a step costs for each item that there
can be. A list without `maxItems`, a text without `maxLength` has as many as fit into a request. The numbers are
Kubernetes' own, so that what it refuses is refused here.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from kubus.model.cel.shapes import DYN, Shape
from kubus.model.cel.syntax import Call, Constant, Field, Loop, Made, Name, Node, tree

REQUEST_BYTES_MAX = 3 * 1024 * 1024
RULE_COST_MAX = 10_000_000
TOTAL_COST_MAX = 100_000_000
_TEXT_FACTOR = 0.1
_PATTERN_FACTOR = 0.25
_LIST_COST, _MAP_COST = 10, 30
_AUTHORIZATION_COST = 350_000
_COMPARED = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_TEXTUAL = frozenset(
    {
        *("startsWith", "endsWith", "lowerAscii", "upperAscii", "replace", "split", "substring", "trim", "join"),
        *("url", "isURL", "ip", "isIP", "ip.isCanonical", "cidr", "isCIDR", "quantity", "isQuantity", "semver"),
        *("isSemver", "validate", "format", "charAt", "indexof", "lastindexof", "bytes", "string"),
    }
)
_LISTED = frozenset({"isSorted", "sum", "max", "min", "indexof", "lastindexof"})
_SAME = frozenset({"value", "orValue", "or", "dyn", "optional.of", "optional.ofNonZeroValue"})
"""What has the shape of its first argument: an optional value is as large as the value."""
_SETS = frozenset({"sets.contains", "sets.intersects", "sets.equivalent"})


class Estimate(NamedTuple):
    """What a part of an expression costs at most, and the shape of its value."""

    cost: float
    shape: Shape = DYN

    @property
    def size(self) -> float:
        """How long its value can be."""
        return REQUEST_BYTES_MAX if self.shape.most is None else self.shape.most


def estimated(checked: bytes, variables: Mapping[str, Shape]) -> float:
    """The cost of an expression (`Program.checked`) at worst."""
    return _of(tree(checked), variables).cost


def refusal(cost: float, most: float, what: str = "estimated rule cost") -> str:
    """Why an expression of such a cost is refused, in Kubernetes' words; "" if it is not."""
    if cost <= most:
        return ""
    factor = cost / most
    shown = "more than 100x" if factor > 100 else f"{factor:.6f}x" if factor < 1.5 else f"{factor:.1f}x"
    advice = "adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared"
    return f"{what} exceeds budget by factor of {shown} (try simplifying the rule, or {advice})"


def _of(node: Node, scope: Mapping[str, Shape]) -> Estimate:
    if isinstance(node, Name):
        return Estimate(1, scope.get(node.name, DYN))
    if isinstance(node, Constant):
        return Estimate(0, DYN if node.text is None else Shape("string", most=len(node.text)))
    if isinstance(node, Field):
        inner = _of(node.operand, scope)
        return Estimate(inner.cost) if node.test else Estimate(inner.cost + 1, _field(inner.shape, node.name))
    if isinstance(node, Made):
        parts = [_of(each, scope) for each in node.parts]
        base = _LIST_COST if node.is_list else _MAP_COST
        items = parts[0].shape if parts else DYN
        shape = Shape("list" if node.is_list else "map", items=items, most=len(parts))
        return Estimate(base + sum(each.cost for each in parts), shape)
    if isinstance(node, Loop):
        return _loop(node, scope)
    return _call(node, [_of(each, scope) for each in node.arguments])


def _field(shape: Shape, name: str) -> Shape:
    if shape.kind == "object" and shape.fields is not None:
        return shape.fields().get(name, DYN)
    return shape.items or DYN if shape.kind == "map" else DYN


def _loop(loop: Loop, scope: Mapping[str, Shape]) -> Estimate:
    over, start = _of(loop.range, scope), _of(loop.start, scope)
    items = over.shape.items or DYN
    key = Shape("string") if over.shape.kind == "map" else Shape("int")
    names = {loop.first: key, loop.second: items} if loop.second else {}
    first = key if over.shape.kind == "map" else items
    inner = {**scope, **(names or {loop.first: first}), loop.accumulator: start.shape}
    steps = _of(loop.condition, inner).cost
    step = _of(loop.step, inner)
    grown = start.shape
    if start.shape.kind == "list" and over.size:
        grown = Shape("list", items=_grown(step.shape), most=over.shape.most)
    result = _of(loop.result, {**inner, loop.accumulator: grown})
    size = over.size if over.shape.kind in ("list", "map", "dyn") else 1
    return Estimate(over.cost + start.cost + size * (steps + step.cost) + result.cost, result.shape)


def _grown(shape: Shape) -> Shape:
    return shape.items or DYN if shape.kind == "list" else DYN


def _call(call: Call, given: list[Estimate]) -> Estimate:
    total = sum(each.cost for each in given)
    name = call.function
    first = given[0] if given else Estimate(0)
    second = given[1] if len(given) > 1 else Estimate(0)
    if name in ("_&&_", "_||_", "!_", "-_", "@not_strictly_false"):
        return Estimate(total + (name in ("!_", "-_")), Shape("bool"))
    if name == "_?_:_":
        branches = given[1:]
        shape = max((each.shape for each in branches), key=lambda each: each.most or 0)
        return Estimate(first.cost + max(each.cost for each in branches), shape)
    if name in ("_[_]", "_?._", "_[?_]"):
        return Estimate(total + 1, _element(call, first.shape))
    if name in _COMPARED:
        return Estimate(total + _compared(first, second), Shape("bool"))
    if name == "_+_":
        return _added(first, second, total)
    if name in ("@in", "_in_"):
        return Estimate(total + second.size if second.shape.kind == "list" else total + 1, Shape("bool"))
    return Estimate(total + _function(name, first, second), _result(name, first.shape))


def _element(call: Call, shape: Shape) -> Shape:
    key = call.arguments[1]
    if call.function == "_?._" and isinstance(key, Constant) and key.text is not None:
        return _field(shape, key.text)
    return shape.items or DYN


def _compared(first: Estimate, second: Estimate) -> float:
    sized = [each.size for each in (first, second) if each.shape.kind in ("string", "bytes", "list", "map")]
    return math.ceil(min(sized) * _TEXT_FACTOR) if sized else 1


def _added(first: Estimate, second: Estimate, total: float) -> Estimate:
    kinds = {first.shape.kind, second.shape.kind}
    if "list" in kinds:
        listed = first.shape if first.shape.kind == "list" and first.shape.most else second.shape
        return Estimate(total + 1, Shape("list", items=listed.items, most=int(first.size + second.size)))
    if kinds & {"string", "bytes"}:
        size = first.size + second.size
        return Estimate(total + math.ceil(size * _TEXT_FACTOR), Shape("string", most=int(size)))
    return Estimate(total + 1, first.shape)


def _function(name: str, first: Estimate, second: Estimate) -> float:
    if name in _LISTED and first.shape.kind == "list":
        inner = first.shape.items or DYN
        size = inner.most or REQUEST_BYTES_MAX if inner.kind in ("string", "bytes") else 10
        return first.size * max(1.0, size * _TEXT_FACTOR)
    if name in ("matches", "find", "findAll"):
        return math.ceil((first.size + 1) * _TEXT_FACTOR) * math.ceil(second.size * _PATTERN_FACTOR)
    if name == "contains" and first.shape.kind == "string":
        return math.ceil(first.size * _TEXT_FACTOR) * math.ceil(second.size * _TEXT_FACTOR)
    if name in _SETS:
        return first.size * second.size
    if name in _TEXTUAL and first.shape.kind in ("string", "bytes", "list"):
        return math.ceil(first.size * _TEXT_FACTOR)
    if name == "check":
        return _AUTHORIZATION_COST
    return 1


def _result(name: str, first: Shape) -> Shape:
    if name in ("lowerAscii", "upperAscii", "replace", "substring", "trim", "find", "charAt", "join"):
        return Shape("string", most=first.most)
    if name in ("split", "findAll"):
        return Shape("list", items=Shape("string", most=first.most), most=first.most)
    if name in ("size", "indexof", "lastindexof", "int"):
        return Shape("int")
    if name in ("min", "max"):
        return first.items or DYN
    return first if name in _SAME else DYN
