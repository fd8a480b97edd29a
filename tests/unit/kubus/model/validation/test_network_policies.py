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
            _policy(**{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}),
            [],
        ),
        (
            _policy(**{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]}),
            [f'{AT}.from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`'],
        ),
        (
            _policy(**{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}]}),
            [f'{AT}.from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`'],
        ),
        (_policy(**{"from": [{"ipBlock": {}}]}), [f"{AT}.from[0].ipBlock.cidr: Required value"]),
        (
            _policy(**{"from": [{"ipBlock": {"cidr": "10.0.0.0"}}]}),
            [
                f'{AT}.from[0].ipBlock.cidr: Invalid value: "10.0.0.0": '
                "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            ],
        ),
        (
            _policy(ports=[{"port": "http", "endPort": 90}]),
            [f"{AT}.ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric"],
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
