"""Nodes: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.nodes import KIND
from kubus.testing.kinds import complaints, sent

TAINT = {"key": "a", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"taints": [TAINT, {**TAINT, "effect": "NoExecute"}]}, []),
        ({"taints": [{"key": "a"}]}, ["spec.taints[0].effect: Required value"]),
        (
            {"taints": [TAINT, TAINT]},
            ['spec.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}'],
        ),
        (
            {"taints": [{"key": "a", "effect": "Push"}]},
            [
                'spec.taints[0].effect: Unsupported value: "Push": supported values: '
                '"NoSchedule", "PreferNoSchedule", "NoExecute"'
            ],
        ),
        (
            {"podCIDRs": ["10.244"]},
            [
                'spec.podCIDRs[0]: Invalid value: "10.244": '
                "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            ],
        ),
    ],
)
def test_taints_and_ranges(spec, expected):
    assert complaints(KIND, sent(KIND, spec=spec)) == expected


def test_a_pod_range_is_given_once():
    bare, old, new = (sent(KIND, spec={"podCIDRs": cidrs}) for cidrs in ([], ["10.1.0.0/24"], ["10.2.0.0/24"]))
    assert complaints(KIND, old, bare) == []
    assert complaints(KIND, new, old) == [
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'
    ]
