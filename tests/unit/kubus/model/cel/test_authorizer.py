"""`authorizer` asks the one who decides, with all that was said on the way."""

from __future__ import annotations

import pytest

from kubus.model.cel import Environment, EvaluationError
from kubus.model.cel.authorizer import Question, authorizer, functions, request_resource
from kubus.model.cel.values import TYPES

USER = {"username": "ann", "groups": ["devs"]}
PODS = Question(USER, "get", resource="pods/log", namespace="x", name="p")
ASKED = [
    ("authorizer.group('').resource('pods').subresource('log').namespace('x').name('p').check('get')", PODS),
    ("authorizer.path('/healthz').check('get')", Question(USER, "get", path="/healthz")),
    ("resource.check('delete')", Question(USER, "delete", group="apps", resource="deployments", namespace="x")),
    (
        "authorizer.group('').resource('pods').labelSelector('a=b').fieldSelector('spec.nodeName=n').check('list')",
        Question(USER, "list", resource="pods", field_selector="spec.nodeName=n"),
    ),
    (
        "authorizer.serviceAccount('x', 'builder').group('').resource('pods').check('list')",
        Question(
            {
                "username": "system:serviceaccount:x:builder",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:x", "system:authenticated"],
            },
            "list",
            resource="pods",
        ),
    ),
]


def ask(expression: str, answer: str | None = "yes") -> tuple[object, list[Question]]:
    asked: list[Question] = []

    def decide(question: Question) -> str | None:
        asked.append(question)
        return answer

    types = {"authorizer": TYPES["Authorizer"], "resource": TYPES["ResourceCheck"]}
    given = {
        "authorizer": authorizer(USER),
        "resource": request_resource(USER, group="apps", resource="deployments", namespace="x"),
    }
    return Environment(types, functions(decide)).compile(expression).evaluate(given), asked


@pytest.mark.parametrize(("expression", "question"), ASKED)
def test_what_is_said_is_asked(expression: str, question: Question) -> None:
    allowed, asked = ask(f"{expression}.allowed()")
    assert allowed is True
    assert asked == [question]


def test_a_decision_has_a_reason() -> None:
    check = "authorizer.path('/x').check('get')"
    assert ask(f"{check}.reason()")[0] == "yes"
    assert ask(f"!{check}.allowed() && {check}.reason() == '' && !{check}.errored() && {check}.error() == ''", None)[0]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("authorizer.path(' ')", "path must not be empty"),
        ("authorizer.group('').resource('')", "resource must not be empty"),
        ("authorizer.serviceAccount('a', 'A')", "Invalid service account name"),
        ("authorizer.serviceAccount('a.b', 'a')", "Invalid service account namespace"),
    ],
)
def test_what_cannot_be_asked_is_an_error(expression: str, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        ask(expression)
