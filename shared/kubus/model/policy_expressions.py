"""The expressions of admission policies: which names they know, and which of a policy's variables they need.

All know the object, what it was, the request and its namespace. Parameters are known where the policy has a
`paramKind`, the authorizer where something is decided (but not in messages), and mutations can make objects. A policy's
variables are worked out only where an expression needs them, since one that has no value is a mistake only then. Which
ones that are is read off the text, with what those need in turn.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from kubus.model.cel import CelError, Environment, Function, Program, ResultError
from kubus.model.cel.authorizer import Decide, functions
from kubus.model.cel.shapes import DYN, Shape, checked
from kubus.model.cel.values import TYPES, nested
from kubus.model.objects import Object

NAMES = ("object", "oldObject", "request", "namespaceObject", "variables")
_USE = re.compile(r"\bvariables\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AUTHORIZER = {"authorizer": TYPES["Authorizer"], "authorizer.requestResource": TYPES["ResourceCheck"]}
_ESCAPE_KEY = Function(
    "jsonpatch.escapeKey",
    ("string",),
    "string",
    lambda key: key.replace("~", "~0").replace("/", "~1"),
    member=False,
)


class Scope(NamedTuple):
    """What an expression knows beside the names that all know."""

    params: bool = True
    authorizer: bool = True
    constructs: bool = False
    """Whether it can make objects and patches."""
    variables: tuple[str, ...] | None = None
    """The policy's variables that it may name; None where that has been looked at before."""


class Expression(NamedTuple):
    """A compiled expression, or why it is none."""

    text: str
    program: Program | None
    error: str
    needs: tuple[str, ...]
    """The policy's variables that it names."""

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Its value.

        Raises:
            CelError: it has none.
        """
        if self.program is None:
            raise CelError(f"compilation error: {self.error}")
        return self.program.evaluate(variables)


class Expressions:
    """Compiles expressions whose authorizer asks `decide`."""

    def __init__(self, decide: Decide) -> None:
        self._functions = functions(decide)
        self._environments: dict[Scope, Environment] = {}

    def compiled(self, text: str, result: str = "", scope: Scope | None = None) -> Expression:
        """The expression of a text; `result` is the type that its value is to have, "" for any."""
        needs = tuple(dict.fromkeys(_USE.findall(text)))
        try:
            program = self._environment(scope or Scope()).compile(text)
            _check_result(program.type, result)
        except ResultError as error:
            return Expression(text, None, str(error), needs)
        except CelError as error:
            return Expression(text, None, f"compilation failed: {error}", needs)
        return Expression(text, program, "", needs)

    def _environment(self, scope: Scope) -> Environment:
        found = self._environments.get(scope)
        if found is None:
            found = _environment(scope, tuple(self._functions))
            if scope.variables is None:
                self._environments[scope] = found
        return found


def _environment(scope: Scope, asking: tuple[Function, ...]) -> Environment:
    types = dict.fromkeys(NAMES, "dyn")
    files: tuple[bytes, ...] = ()
    if scope.variables is not None:
        names = [name for name in scope.variables if _NAME.fullmatch(name)]
        known = checked({"variables": Shape("object", lambda: dict.fromkeys(names, DYN), "variables")})
        types, files = {**types, **known.types}, known.files
    if scope.params:
        types["params"] = "dyn"
    if scope.authorizer:
        types.update(_AUTHORIZER)
    own = (*asking, _ESCAPE_KEY) if scope.constructs else asking
    return Environment(types, own, files=files, constructs=scope.constructs)


def _check_result(type_: str, result: str) -> None:
    wanted = result.split(" or ")
    if result and type_ != "dyn" and type_.partition("<")[0] not in wanted:
        raise ResultError(f"must evaluate to {_SHOWN.get(result, result)}")


_SHOWN = {"map": "Object", "list": "[]JSONPatch", "string or null": "one of [string null_type]"}
_UNASKED = Expressions(lambda _question: None)
"""For expressions that are looked at, and never evaluated."""


@lru_cache(maxsize=256)
def compiled(text: str, result: str = "", scope: Scope | None = None) -> Expression:
    """An expression that is only to be looked at."""
    return _UNASKED.compiled(text, result, scope)


class Stated(NamedTuple):
    """An expression as a policy states it."""

    path: str
    text: str
    result: str
    scope: Scope


def expressions_of(policy: Object) -> Iterator[Stated]:
    """Everything in a policy that is an expression."""
    spec = policy.get("spec") or {}
    mutating = "mutations" in spec
    variables = [each.get("name") or "" for each in spec.get("variables") or ()]
    scope = Scope(params=bool(spec.get("paramKind")), constructs=mutating)
    for index, each in enumerate(spec.get("matchConditions") or ()):
        path = f"spec.matchConditions[{index}].expression"
        yield Stated(path, each.get("expression") or "", "bool", scope._replace(variables=(), constructs=False))
    for index, each in enumerate(spec.get("variables") or ()):
        before = scope._replace(variables=tuple(variables[:index]))
        yield Stated(f"spec.variables[{index}].expression", each.get("expression") or "", "", before)
    yield from _deciding(spec, scope._replace(variables=tuple(variables)))


def _deciding(spec: Object, scope: Scope) -> Iterator[Stated]:
    saying = scope._replace(authorizer=False)
    for index, each in enumerate(spec.get("validations") or ()):
        path = f"spec.validations[{index}]"
        yield Stated(f"{path}.expression", each.get("expression") or "", "bool", scope)
        if each.get("messageExpression"):
            yield Stated(f"{path}.messageExpression", each["messageExpression"], "string", saying)
    for index, each in enumerate(spec.get("auditAnnotations") or ()):
        path = f"spec.auditAnnotations[{index}].valueExpression"
        yield Stated(path, each.get("valueExpression") or "", "string or null", saying)
    for index, each in enumerate(spec.get("mutations") or ()):
        for field, result in (("applyConfiguration", "map"), ("jsonPatch", "list")):
            if isinstance(each.get(field), dict):
                text = each[field].get("expression") or ""
                yield Stated(f"spec.mutations[{index}].{field}.expression", text, result, scope)


class Variables:
    """A policy's variables for one object, worked out when needed."""

    def __init__(self, definitions: Mapping[str, Expression], given: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._given = given
        self._known: dict[str, Any] = {}

    def evaluate(self, expression: Expression) -> Any:
        """The value of an expression that may name them.

        Raises:
            CelError: it has none, or a variable that it needs; in Kubernetes' words.
        """
        try:
            return self._value(expression)
        except CelError as error:
            if expression.program is None:
                raise
            raise CelError(f"expression '{expression.text.strip()}' resulted in error: {error}") from None

    def _value(self, expression: Expression) -> Any:
        for name in expression.needs:
            self._work_out(name)
        return expression.evaluate({**self._given, "variables": self._known})

    def _work_out(self, name: str) -> None:
        if name in self._known or name not in self._definitions:
            return
        definition = self._definitions[name]
        try:
            if name in definition.needs:
                raise CelError("it needs itself")
            self._known[name] = nested(self._value(definition))
        except CelError as error:
            raise CelError(f'composited variable "{name}" fails to evaluate: {error}') from None
