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


def _errors(**fields):
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
            ["webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1"],
        ),
        ({"sideEffects": None}, ["webhooks[0].sideEffects: Required value"]),
        (
            {"timeoutSeconds": 31},
            ["webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"],
        ),
        ({"clientConfig": {}}, ["webhooks[0].clientConfig: Required value: exactly one of url or service is required"]),
        (
            {"clientConfig": {"url": "http://example.com"}},
            [
                'webhooks[0].clientConfig.url: Invalid value: "http://example.com": '
                "'https' is the only allowed URL scheme"
            ],
        ),
    ],
)
def test_webhooks(fields, expected):
    assert _errors(**fields) == expected


def test_defaults_fail_closed():
    (webhook,) = created(KIND, sent(KIND, webhooks=[FINE]))["webhooks"]
    assert webhook["failurePolicy"] == "Fail"
    assert webhook["timeoutSeconds"] == 10
    assert webhook["matchPolicy"] == "Equivalent"
    assert webhook["reinvocationPolicy"] == "Never"
    assert webhook["rules"][0]["scope"] == "*"
    assert webhook["clientConfig"]["service"]["port"] == 443


def test_match_conditions_are_compiled_when_they_are_written():
    assert _errors(matchConditions=[{"name": "ok", "expression": "object.metadata.name != 'x'"}]) == []
    (said,) = _errors(matchConditions=[{"name": "bad", "expression": "object.metadata.name ="}])
    assert said.startswith("webhooks[0].matchConditions[0].expression: Invalid value:")
    assert "compilation failed" in said
