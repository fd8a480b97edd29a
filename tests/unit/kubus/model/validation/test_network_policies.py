"""Network policies: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.networkpolicies import KIND
from kubus.testing.kinds import complaints, created, sent

AT = "spec.ingress[0]"


def _policy(**rule):
    return created(KIND, sent(KIND, spec={"ingress": [rule]}))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (_policy(), []),
        (_policy(ports=[{"port": 80, "endPort": 90}], **{"from": [{"podSelector": {}}]}), []),
        (_policy(**{"from": [{}]}), [f"{AT}.from[0]: Required value: must specify a peer"]),
        (
            _policy(**{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}),
            [f"{AT}.from[0]: Forbidden: may not specify both ipBlock and another peer"],
        ),
        (
            _policy(ports=[{"endPort": 90}]),
            [f"{AT}.ports[0].port: Required value: must be specified when `endPort` is specified"],
        ),
        (
            _policy(ports=[{"port": 95, "endPort": 90}]),
            [f"{AT}.ports[0].endPort: Invalid value: 90: must be greater than or equal to `port`"],
        ),
        (
            _policy(ports=[{"protocol": "ICMP"}]),
            [f'{AT}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
        ),
    ],
)
def test_rules(policy, expected):
    assert complaints(KIND, policy) == expected


def test_policy_types_follow_from_the_rules():
    assert _policy()["spec"]["policyTypes"] == ["Ingress"]
    both = created(KIND, sent(KIND, spec={"egress": [{}]}))
    assert both["spec"]["policyTypes"] == ["Ingress", "Egress"]
