"""Expressions of policies are checked by the types of the kinds that they are about."""

from __future__ import annotations

from typing import Any

from kubus.model.cel.shapes import Shape
from kubus.model.policy_types import KINDS_MAX, Typed, Types, expression_warnings

SPEC = Shape("object", lambda: {"replicas": Shape("int"), "name": Shape("string")}, "Spec")
OBJECT = Shape("object", lambda: {"spec": SPEC}, "Object")
RULE = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}


def of_resource(group: str, version: str, resource: str) -> list[Typed]:
    return [Typed(group, version, resource.capitalize(), OBJECT)] if group == "apps" else []


def of_kind(_group: str, _version: str, kind: str) -> Typed | None:
    return Typed("", "v1", kind, Shape("object", lambda: {"most": Shape("int")}, "Params")) if kind == "Limit" else None


TYPES = Types(of_resource, of_kind, Shape("object", lambda: {"metadata": OBJECT}, "Namespace"))


def warnings(*expressions: str, rule: Any = None, **spec: Any) -> list[dict[str, Any]]:
    validations = [{"expression": each} for each in expressions]
    spec = {"matchConstraints": {"resourceRules": [rule or RULE]}, "validations": validations, **spec}
    return expression_warnings({"spec": spec}, TYPES)


def test_what_fits_gives_no_warning() -> None:
    fine = ("object.spec.replicas > 1", "request.userInfo.groups.exists(g, g == 'a')", "authorizer.path('/x') != null")
    assert not warnings(*fine[:2], "authorizer.path('/x').check('get').allowed()")


def test_confusion_is_told_with_kind_and_place() -> None:
    validation = {"expression": "object.spec.replicas > '1'", "messageExpression": "'got ' + object.spec.replicas"}
    found = warnings(validations=[validation])
    assert [each["fieldRef"] for each in found] == [
        "spec.validations[0].expression",
        "spec.validations[0].messageExpression",
    ]
    words = "ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'"
    assert found[0]["warning"].startswith(f"apps/v1, Kind=Deployments: {words}\n | object.spec.replicas > '1'")
    assert "'_+_' applied to '(string, int)'" in found[1]["warning"]


def test_variables_and_parameters_have_types() -> None:
    variables = [{"name": "n", "expression": "object.spec.replicas"}, {"name": "lost", "expression": "object.x"}]
    found = warnings(
        "variables.n > 'a'",
        "variables.lost > 'a'",
        "params.most > 'a'",
        "variables.none > 1",
        "request.nothing == ''",
        variables=variables,
        paramKind={"apiVersion": "v1", "kind": "Limit"},
    )
    assert [each["fieldRef"][17] for each in found] == ["0", "2", "3", "4"]
    assert not warnings("params.anything == 1", paramKind={"apiVersion": "v1", "kind": "Unknown"})


def test_wildcards_and_subresources_are_not_checked() -> None:
    wrong = "object.nothing == 1"
    for rule in (
        {**RULE, "apiGroups": ["*"]},
        {**RULE, "apiVersions": ["*"]},
        {**RULE, "resources": ["*"]},
        {**RULE, "resources": ["deployments/scale"]},
        {**RULE, "apiGroups": ["other"]},
    ):
        assert not warnings(wrong, rule=rule)
    many = {**RULE, "resources": [f"r{number}" for number in range(20)]}
    assert warnings(wrong, rule=many)[0]["warning"].count("Kind=") == KINDS_MAX
