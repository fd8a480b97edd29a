"""What is wrong with policies and bindings."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.validation.policies import binding_errors, policy_errors

RULES = {"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]}
GOOD: dict[str, Any] = {"matchConstraints": RULES, "validations": [{"expression": "true"}], "failurePolicy": "Fail"}


def fields(spec: dict[str, Any]) -> list[str]:
    return [error.field for error in policy_errors({"metadata": {"name": "p"}, "spec": spec}, None)]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"validations": []}, ["spec.validations"]),
        ({"matchConstraints": {}}, ["spec.matchConstraints.resourceRules"]),
        ({"failurePolicy": "Maybe"}, ["spec.failurePolicy"]),
        ({"validations": [{"expression": "1 + 1"}]}, ["spec.validations[0].expression"]),
        ({"validations": [{"expression": " "}]}, ["spec.validations[0].expression"]),
        ({"validations": [{"expression": "true", "reason": "Because"}]}, ["spec.validations[0].reason"]),
        (
            {"variables": [{"name": "a", "expression": "1"}, {"name": "a", "expression": "2"}]},
            ["spec.variables[1].name"],
        ),
        ({"matchConditions": [{"name": "c", "expression": "nobody"}]}, ["spec.matchConditions[0].expression"]),
    ],
)
def test_policies(changes: dict[str, Any], wrong: list[str]) -> None:
    assert fields({**GOOD, **changes}) == wrong


def test_expressions_that_have_not_changed_are_not_compiled_again() -> None:
    bad = {"metadata": {"name": "p"}, "spec": {**GOOD, "validations": [{"expression": "nobody"}]}}
    assert policy_errors(bad, bad) == []


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"policyName": "p", "validationActions": ["Deny"]}, []),
        ({"validationActions": ["Deny"]}, ["spec.policyName"]),
        ({"policyName": "p"}, ["spec.validationActions"]),
        ({"policyName": "p", "validationActions": ["Deny", "Warn"]}, ["spec.validationActions"]),
        ({"policyName": "p", "validationActions": ["Shout"]}, ["spec.validationActions[0]"]),
        (
            {"policyName": "p", "validationActions": ["Deny"], "paramRef": {"name": "x"}},
            ["spec.paramRef.parameterNotFoundAction"],
        ),
        ({"policyName": "p", "validationActions": ["Deny"], "paramRef": {}}, ["spec.paramRef.name"]),
    ],
)
def test_bindings(spec: dict[str, Any], wrong: list[str]) -> None:
    assert [error.field for error in binding_errors({"spec": spec}, None)] == wrong
