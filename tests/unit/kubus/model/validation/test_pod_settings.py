"""What a pod says of itself as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.kinds.pods import KIND
from kubus.testing.kinds import complaints, created, sent

CONTAINERS = [{"name": "c", "image": "i"}]


def _complaints(**spec: Any) -> list[str]:
    return complaints(KIND, created(KIND, sent(KIND, spec={"containers": CONTAINERS, **spec})))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"dnsPolicy": "Magic"},
            'spec.dnsPolicy: Unsupported value: "Magic": supported values: '
            '"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
        ),
        (
            {"dnsPolicy": "None", "dnsConfig": {}},
            "spec.dnsConfig.nameservers: Required value: "
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
        ),
        (
            {"dnsConfig": {"nameservers": ["10.0.0.1"] * 4}},
            'spec.dnsConfig.nameservers: Invalid value: ["10.0.0.1","10.0.0.1","10.0.0.1","10.0.0.1"]: '
            "must not have more than 3 nameservers",
        ),
        (
            {"dnsConfig": {"nameservers": ["ns"]}},
            'spec.dnsConfig.nameservers[0]: Invalid value: "ns": '
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
        ({"dnsConfig": {"options": [{"value": "1"}]}}, "spec.dnsConfig.options[0]: Required value: must not be empty"),
        (
            {"hostAliases": [{"ip": "x", "hostnames": ["a"]}]},
            'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
        (
            {"hostnameOverride": "a", "setHostnameAsFQDN": True},
            "spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true",
        ),
        (
            {"preemptionPolicy": "Always"},
            'spec.preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"',
        ),
        ({"os": {"name": "beos"}}, 'spec.os: Unsupported value: "beos": supported values: "linux", "windows"'),
        (
            {"os": {"name": "linux"}, "securityContext": {"windowsOptions": {}}},
            "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
        ),
        (
            {"schedulingGates": [{"name": "a"}, {"name": "a"}]},
            'spec.schedulingGates[1]: Duplicate value: "a"',
        ),
        (
            {"resourceClaims": [{"name": "a"}]},
            'spec.resourceClaims[0]: Invalid value: {"Name":"a","ResourceClaimName":null,'
            '"ResourceClaimTemplateName":null}: '
            "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
        ),
        (
            {"activeDeadlineSeconds": 2**31},
            "spec.activeDeadlineSeconds: Invalid value: 2147483648: must be between 1 and 2147483647, inclusive",
        ),
        (
            {"nodeName": "n", "schedulingGates": [{"name": "a"}]},
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
        ),
        (
            {"ephemeralContainers": [{"name": "e", "image": "i"}]},
            "spec.ephemeralContainers: Forbidden: cannot be set on create",
        ),
        (
            {"containers": [{"name": "c", "image": " i"}]},
            'spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace',
        ),
    ],
)
def test_each_mistake_is_named_with_its_path(spec: Any, expected: str) -> None:
    assert _complaints(**spec) == [expected]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"hostname": "A"}, 'spec.hostname: Invalid value: "A": a lowercase RFC 1123 label'),
        ({"subdomain": "a.b"}, 'spec.subdomain: Invalid value: "a.b": a lowercase RFC 1123 label'),
        ({"serviceAccountName": "A"}, 'spec.serviceAccountName: Invalid value: "A": a lowercase RFC 1123 subdomain'),
        ({"priorityClassName": "A"}, 'spec.priorityClassName: Invalid value: "A": a lowercase RFC 1123 subdomain'),
        ({"runtimeClassName": "A"}, 'spec.runtimeClassName: Invalid value: "A": a lowercase RFC 1123 subdomain'),
        ({"dnsConfig": {"searches": ["A"]}}, 'spec.dnsConfig.searches[0]: Invalid value: "A": a lowercase RFC 1123'),
        ({"readinessGates": [{"conditionType": ""}]}, "spec.readinessGates[0].conditionType: Invalid value:"),
        ({"nodeSelector": {"a b": "c"}}, 'spec.nodeSelector: Invalid value: "a b": name part must consist of'),
    ],
)
def test_names_are_well_formed(spec: Any, path: str) -> None:
    assert _complaints(**spec)[0].startswith(path)


@pytest.mark.parametrize(
    "spec",
    [
        {"terminationGracePeriodSeconds": -1},
        {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.1"], "searches": [".", "a_b.c."]}},
        {"os": {"name": "linux"}, "hostUsers": False},
        {"schedulingGates": [{"name": "example.com/a"}]},
    ],
)
def test_what_is_well_formed_is_taken(spec: Any) -> None:
    assert _complaints(**spec) == []
