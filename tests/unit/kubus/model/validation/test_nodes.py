"""Nodes: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.nodes import KIND
from kubus.testing.kinds import complaints, created, sent

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


FIRST, OTHER = "10.1.0.0/24", "10.0.0.0/8"
ONCE = ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid']


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"podCIDR": FIRST, "podCIDRs": [FIRST]}, []),
        ({"podCIDR": FIRST}, []),
        ({"podCIDRs": [FIRST]}, []),
        ({"podCIDR": OTHER, "podCIDRs": [FIRST]}, ONCE),
        ({"podCIDR": OTHER, "podCIDRs": [OTHER]}, ONCE),
        ({"podCIDR": OTHER}, ONCE),
        ({"podCIDR": FIRST, "podCIDRs": [FIRST, "2001:db8::/64"]}, ONCE),
        ({}, ONCE),
    ],
)
def test_neither_spelling_of_the_pod_range_changes_what_was_given(change, expected):
    old = created(KIND, sent(KIND, spec={"podCIDR": FIRST}))
    assert complaints(KIND, created(KIND, sent(KIND, spec=change)), old) == expected
    assert complaints(KIND, sent(KIND, spec=change), old) == expected, "without the defaults too"


@pytest.mark.parametrize("spec", [{"podCIDR": FIRST}, {"podCIDRs": [FIRST]}, {"podCIDR": FIRST, "podCIDRs": [OTHER]}])
def test_the_single_pod_range_is_the_first_of_the_list(spec):
    assert created(KIND, sent(KIND, spec=spec))["spec"] == {"podCIDR": FIRST, "podCIDRs": [FIRST]}


def test_a_node_has_one_range_of_each_family():
    both = created(KIND, sent(KIND, spec={"podCIDRs": [FIRST, "2001:db8::/64"]}))
    assert complaints(KIND, both) == []
    twice = created(KIND, sent(KIND, spec={"podCIDRs": [FIRST, "10.2.0.0/24"]}))
    assert complaints(KIND, twice) == [
        'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: '
        "may specify no more than one CIDR for each IP family"
    ]


def test_addresses_of_a_node_are_addresses_and_none_is_there_twice():
    addresses = [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "a b"}]
    assert complaints(KIND, sent(KIND, status={"addresses": addresses})) == []
    twice = sent(KIND, status={"addresses": [addresses[0], addresses[0]]})
    assert complaints(KIND, twice) == [
        'status.addresses[1]: Duplicate value: {"type":"InternalIP","address":"10.0.0.1"}'
    ]
    bad = sent(KIND, status={"addresses": [{"type": "InternalIP", "address": "x"}]})
    assert complaints(KIND, bad) == [
        'status.addresses[0].address: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
    ]
    assert complaints(KIND, bad, bad) == [], "what is stored so does not stand in the way of other changes"
