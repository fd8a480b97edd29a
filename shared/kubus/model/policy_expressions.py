"""The expressions of admission policies: which names they know, and which of a policy's variables they need.

A policy's variables are worked out only where an expression needs them, since one that has no value is a mistake only
then. Which ones that are is read off the text, with what those need in turn.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from kubus.model.cel import CelError, Environment, Program
from kubus.model.objects import Object

NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables")
_USE = re.compile(r"\bvariables\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")


@cache
def environment() -> Environment:
    """What expressions of policies are compiled in."""
    return Environment(dict.fromkeys(NAMES, "dyn"))


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
            raise CelError(f"compilation error: compilation failed: {self.error}")
        return self.program.evaluate(variables)


def compiled(text: str, result: str = "") -> Expression:
    """The expression of a text."""
    needs = tuple(dict.fromkeys(_USE.findall(text)))
    try:
        return Expression(text, environment().compile(text, result), "", needs)
    except CelError as error:
        return Expression(text, None, str(error), needs)


def expressions_of(policy: Object) -> Iterator[tuple[str, str, str]]:
    """(path, expression, type) of everything in a policy that is one."""
    spec = policy.get("spec") or {}
    for index, each in enumerate(spec.get("validations") or ()):
        yield f"spec.validations[{index}].expression", each.get("expression") or "", "bool"
        if each.get("messageExpression"):
            yield f"spec.validations[{index}].messageExpression", each["messageExpression"], "string"
    for index, each in enumerate(spec.get("matchConditions") or ()):
        yield f"spec.matchConditions[{index}].expression", each.get("expression") or "", "bool"
    for index, each in enumerate(spec.get("variables") or ()):
        yield f"spec.variables[{index}].expression", each.get("expression") or "", ""
    for index, each in enumerate(spec.get("auditAnnotations") or ()):
        yield f"spec.auditAnnotations[{index}].valueExpression", each.get("valueExpression") or "", ""


class Variables:
    """A policy's variables for one object, worked out when needed."""

    def __init__(self, definitions: Mapping[str, Expression], given: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._given = given
        self._known: dict[str, Any] = {}

    def evaluate(self, expression: Expression) -> Any:
        """The value of an expression that may name them.

        Raises:
            CelError: it has none, or a variable that it needs.
        """
        for name in expression.needs:
            self._work_out(name)
        return expression.evaluate({**self._given, "variables": self._known})

    def _work_out(self, name: str) -> None:
        if name in self._known or name not in self._definitions:
            return
        definition = self._definitions[name]
        if name in definition.needs:
            raise CelError(f"variable {name} needs itself")
        self._known[name] = self.evaluate(definition)
