"""Admission webhooks: defaults and what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.mutatingwebhookconfigurations import KIND
from kubus.testing.kinds import complaints, created, sent

FINE = {
    "name": "a.example.com",
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "clientConfig": {"service": {"name": "s", "namespace": "n"}},
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
}


def errors_of(**fields):
    return complaints(KIND, created(KIND, sent(KIND, webhooks=[{**FINE, **fields}])))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"clientConfig": {"url": "https://example.com"}}, []),
        (
            {"name": "short"},
            [
                'webhooks[0].name: Invalid value: "short": '
                "should be a domain with at least three segments separated by dots"
            ],
        ),
        (
            {"admissionReviewVersions": ["v7"]},
            ['webhooks[0].admissionReviewVersions: Invalid value: ["v7"]: must include at least one of v1, v1beta1'],
        ),
        ({"admissionReviewVersions": ["v7", "v1beta1"]}, []),
        (
            {"admissionReviewVersions": []},
            ["webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1"],
        ),
        (
            {"admissionReviewVersions": ["v1", "v1"]},
            ['webhooks[0].admissionReviewVersions[1]: Invalid value: "v1": duplicate version'],
        ),
        (
            {"reinvocationPolicy": "Always"},
            ['webhooks[0].reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"'],
        ),
        ({"sideEffects": None}, ["webhooks[0].sideEffects: Required value"]),
        (
            {"timeoutSeconds": 31},
            ["webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"],
        ),
        ({"clientConfig": {}}, ["webhooks[0].clientConfig: Required value: exactly one of url or service is required"]),
    ],
)
def test_webhooks(fields, expected):
    assert errors_of(**fields) == expected


def test_match_conditions_have_names():
    named = [{"name": name, "expression": "true"} for name in ("a", "a", "", "b c")]
    found = [
        each.removeprefix("webhooks[0].matchConditions").partition(":")[0] for each in errors_of(matchConditions=named)
    ]
    assert found == ["[1].name", "[2].name", "[3].name"]
    many = [{"name": f"c{number}", "expression": "true"} for number in range(65)]
    assert errors_of(matchConditions=many) == ["webhooks[0].matchConditions: Too many: 65: must have at most 64 items"]


def test_defaults_fail_closed():
    (webhook,) = created(KIND, sent(KIND, webhooks=[FINE]))["webhooks"]
    assert webhook["failurePolicy"] == "Fail"
    assert webhook["timeoutSeconds"] == 10
    assert webhook["matchPolicy"] == "Equivalent"
    assert webhook["reinvocationPolicy"] == "Never"
    assert webhook["rules"][0]["scope"] == "*"
    assert webhook["clientConfig"]["service"]["port"] == 443


def test_match_conditions_are_compiled_when_they_are_written():
    assert errors_of(matchConditions=[{"name": "ok", "expression": "object.metadata.name != 'x'"}]) == []
    (said,) = errors_of(matchConditions=[{"name": "bad", "expression": "object.metadata.name ="}])
    assert said.startswith("webhooks[0].matchConditions[0].expression: Invalid value:")
    assert "compilation failed" in said
