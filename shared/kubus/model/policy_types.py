"""Type checking of policies: what their expressions get wrong about the objects that they are about.

To an expression of a policy an object may have any field, as a policy may be about several kinds; so a mistake shows
when the policy is asked. Where a rule names its kinds without wildcards, the expressions are compiled once more for
each of them, with the types of its fields, and what is found is a warning in the policy's status.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, NamedTuple

from kubus.model.cel import CompileError, Environment
from kubus.model.cel.authorizer import functions
from kubus.model.cel.shapes import DYN, Shape, checked
from kubus.model.cel.values import TYPES
from kubus.model.objects import Object

KINDS_MAX = 10
"""More are not checked."""
_TEXT = Shape("string")
_AUTHORIZER = {"authorizer": TYPES["Authorizer"], "authorizer.requestResource": TYPES["ResourceCheck"]}
_KNOWN = frozenset({"bool", "int", "uint", "double", "string", "bytes"})


class Typed(NamedTuple):
    """A kind whose objects have a shape."""

    group: str
    version: str
    kind: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.group}/{self.version}, Kind={self.kind}"


class Types(NamedTuple):
    """Where the types of a policy are looked up."""

    of_resource: Callable[[str, str, str], Iterable[Typed]]
    """By group, version and plural."""
    of_kind: Callable[[str, str, str], Typed | None]
    """By group, version and kind."""
    namespace: Shape


def expression_warnings(policy: Object, types: Types) -> list[Object]:
    """What `status.typeChecking.expressionWarnings` has to say of a ValidatingAdmissionPolicy."""
    spec = policy.get("spec") or {}
    kinds = _kinds(spec, types)
    variables = _variables(spec, types)
    checks = [_Check(kind, variables, spec.get("variables") or ()) for kind in kinds]
    warnings: list[Object] = []
    for index, each in enumerate(spec.get("validations") or ()):
        for field in ("expression", "messageExpression"):
            found = "\n".join(words for check in checks if (words := check.words(each.get(field) or "")))
            if found:
                warnings.append({"fieldRef": f"spec.validations[{index}].{field}", "warning": found})
    return warnings


def _kinds(spec: Object, types: Types) -> list[Typed]:
    found: dict[tuple[str, str, str], Typed] = {}
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        groups, versions = rule.get("apiGroups") or (), rule.get("apiVersions") or ()
        if any("*" in each for each in (*groups, *versions)):
            continue
        resources = [each for each in rule.get("resources") or () if "*" not in each and "/" not in each]
        for group, version, resource in product(sorted(groups), sorted(versions), sorted(resources)):
            found |= {each[:3]: each for each in types.of_resource(group, version, resource)}
    return [found[key] for key in sorted(found)[:KINDS_MAX]]


def _variables(spec: Object, types: Types) -> Mapping[str, Shape]:
    known = {"request": _request(), "namespaceObject": types.namespace}
    if spec.get("paramKind") is not None:
        group, _, version = (spec["paramKind"].get("apiVersion") or "").rpartition("/")
        params = types.of_kind(group, version, spec["paramKind"].get("kind") or "")
        known["params"] = DYN if params is None else params.shape
    return known


class _Check:
    """The expressions of a policy, compiled for one kind."""

    def __init__(self, kind: Typed, variables: Mapping[str, Shape], own: Iterable[Any]) -> None:
        self._kind = kind
        self._known = {"object": kind.shape, "oldObject": kind.shape, **variables}
        fields: dict[str, Shape] = {}
        for each in own:
            fields[each["name"]] = self._shape_of(each.get("expression") or "", fields)
        self._environment = self._with(fields)

    def words(self, expression: str) -> str:
        """What is wrong with an expression; "" if nothing is."""
        if not expression:
            return ""
        try:
            self._environment.compile(expression)
        except CompileError as error:
            return f"{self._kind}: {error}\n"
        return ""

    def _with(self, fields: Mapping[str, Shape]) -> Environment:
        shapes = {**self._known, "variables": Shape("object", lambda: fields, "Variables")}
        made = checked(shapes)
        return Environment({**made.types, **_AUTHORIZER}, functions(lambda _question: None), files=made.files)

    def _shape_of(self, expression: str, fields: Mapping[str, Shape]) -> Shape:
        try:
            type_ = self._with(dict(fields)).compile(expression).type
        except CompileError:
            return DYN
        return Shape(type_) if type_ in _KNOWN else DYN


def _request() -> Shape:
    def record(name: str, *fields: str) -> Shape:
        return Shape("object", lambda: dict.fromkeys(fields, _TEXT), name)

    kind, resource = (
        record("RequestKind", "group", "version", "kind"),
        record("RequestResource", "group", "version", "resource"),
    )
    groups = Shape("list", items=_TEXT)
    user = {"username": _TEXT, "uid": _TEXT, "groups": groups, "extra": Shape("map", items=groups)}
    fields = {
        **{"kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource},
        **dict.fromkeys(("subResource", "requestSubResource", "name", "namespace", "operation"), _TEXT),
        "userInfo": Shape("object", lambda: user, "RequestUser"),
        "dryRun": Shape("bool"),
        "options": DYN,
    }
    return Shape("object", lambda: fields, "Request")
