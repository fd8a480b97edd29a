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
    assert _errors(**fields) == expected


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"url": "https://example.com/path"}, "", ""),
        ({"url": "http://example.com"}, "url", "\"http\": 'https' is the only allowed URL scheme"),
        ({"url": "https:///path"}, "url", '"": host must be specified'),
        ({"url": "https://u:p@example.com"}, "url", '"u:p": user information is not permitted in the URL'),
        ({"url": "https://example.com#here"}, "url", '"here": fragments are not permitted in the URL'),
        ({"url": "https://example.com?a=b"}, "url", '"a=b": query parameters are not permitted in the URL'),
        ({"service": {"namespace": "n"}}, "service.name", "service name is required"),
        ({"service": {"name": "s"}}, "service.namespace", "service namespace is required"),
        (
            {"service": {"port": 70000}},
            "service.port",
            "70000: port is not valid: must be between 1 and 65535, inclusive",
        ),
        ({"service": {"path": "/a/b/"}}, "", ""),
        ({"service": {"path": "a"}}, "service.path", "\"a\": must start with a '/'"),
        ({"service": {"path": "//"}}, "service.path", '"//": segment[0] may not be empty'),
        ({"service": {"path": "/a//b"}}, "service.path", '"/a//b": segment[1] may not be empty'),
        ({"service": {"path": "/a/B"}}, "service.path", "segment[1]: a lowercase RFC 1123 subdomain"),
    ],
)
def test_where_a_webhook_is(config, field, words):
    if "service" in config and field not in ("service.name", "service.namespace"):
        config = {"service": {"name": "s", "namespace": "n", **config["service"]}}
    found = _errors(clientConfig=config)
    assert len(found) == bool(field)
    if field:
        assert found[0].startswith(f"webhooks[0].clientConfig.{field}: ")
        assert words in found[0]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, []),
        ({"resources": ["*", "*/status", "pods/log"]}, []),
        ({"operations": ["*", "CREATE"]}, ["operations: Invalid value: ['*', 'CREATE']: {} operations"]),
        ({"apiGroups": ["*", "apps"]}, ["apiGroups: Invalid value: ['*', 'apps']: {} API groups"]),
        ({"apiVersions": ["*", "v1"]}, ["apiVersions: Invalid value: ['*', 'v1']: {} API versions"]),
        ({"apiVersions": [""]}, ["apiVersions[0]: Required value"]),
        ({"resources": []}, ["resources: Required value"]),
        (
            {"resources": ["*/*", "pods"]},
            ["resources: Invalid value: ['*/*', 'pods']: if '*/*' is present, must not specify other resources"],
        ),
        (
            {"resources": ["pods", "*"]},
            [
                "resources: Invalid value: ['pods', '*']: if '*' is present, must not specify other resources without "
                "subresources"
            ],
        ),
        (
            {"resources": ["pods/*", "pods/log"]},
            ["resources[1]: Invalid value: 'pods/log': if 'pods/*' is present, must not specify pods/log"],
        ),
        (
            {"resources": ["*/log", "pods/log"]},
            ["resources[1]: Invalid value: 'pods/log': if '*/log' is present, must not specify pods/log"],
        ),
        ({"scope": "Some"}, ["scope: Unsupported value: 'Some': supported values: '*', 'Cluster', 'Namespaced'"]),
    ],
)
def test_rules(rule, expected):
    found = _errors(rules=[{**FINE["rules"][0], **rule}])
    start = "if '*' is present, must not specify other"
    wanted = [f"webhooks[0].rules[0].{each.format(start)}" for each in expected]
    assert [each.replace('","', "', '").replace('"', "'") for each in found] == wanted


def test_match_conditions_have_names():
    named = [{"name": name, "expression": "true"} for name in ("a", "a", "", "b c")]
    found = [
        each.removeprefix("webhooks[0].matchConditions").partition(":")[0] for each in _errors(matchConditions=named)
    ]
    assert found == ["[1].name", "[2].name", "[3].name"]
    many = [{"name": f"c{number}", "expression": "true"} for number in range(65)]
    assert _errors(matchConditions=many) == ["webhooks[0].matchConditions: Too many: 65: must have at most 64 items"]


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
