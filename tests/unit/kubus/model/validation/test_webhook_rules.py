"""Rules of webhooks."""

from __future__ import annotations

import pytest
from tests.unit.kubus.model.validation.test_admission import FINE, errors_of


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
    found = errors_of(rules=[{**FINE["rules"][0], **rule}])
    start = "if '*' is present, must not specify other"
    wanted = [f"webhooks[0].rules[0].{each.format(start)}" for each in expected]
    assert [each.replace('","', "', '").replace('"', "'") for each in found] == wanted
