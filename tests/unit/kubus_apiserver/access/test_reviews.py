"""Questions about rights and identities."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_apiserver.calls import User

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
NOBODY = User("x", ("system:authenticated",))


async def test_one_may_ask_for_others(api: Any) -> None:
    attributes = {"verb": "bind", "resource": "pods", "subresource": "binding", "namespace": "default"}
    for user, verb, allowed in (("system:kube-scheduler", "create", True), ("x", "create", False)):
        spec = {"user": user, "resourceAttributes": {**attributes, "verb": verb}}
        answer = await api.ok("POST", f"{AUTHORIZATION}/subjectaccessreviews", {"spec": spec})
        assert answer["status"]["allowed"] is allowed
    spec = {"user": "x", "nonResourceAttributes": {"verb": "get", "path": "/readyz"}}
    answer = await api.ok("POST", f"{AUTHORIZATION}/subjectaccessreviews", {"spec": spec})
    assert answer["status"]["allowed"] is False


async def test_everybody_may_ask_for_themselves(api: Any) -> None:
    api.user = NOBODY
    rules = await api.ok("POST", f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}})
    assert any("/version" in rule["nonResourceURLs"] for rule in rules["status"]["nonResourceRules"])
    who = await api.ok("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert who["status"]["userInfo"]["username"] == "x"
    assert (await api("POST", f"{AUTHORIZATION}/subjectaccessreviews", {"spec": {}})).code == 403


@pytest.mark.parametrize(
    ("resource", "spec", "code"),
    [
        ("subjectaccessreviews", {"resourceAttributes": {}}, 422),
        ("selfsubjectaccessreviews", {}, 422),
        ("selfsubjectrulesreviews", {}, 400),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(api: Any, resource: str, spec: Any, code: int) -> None:
    assert (await api("POST", f"{AUTHORIZATION}/{resource}", {"spec": spec})).code == code


async def test_questions_cannot_be_read_back(api: Any) -> None:
    assert (await api("GET", f"{AUTHORIZATION}/selfsubjectaccessreviews")).code == 405
