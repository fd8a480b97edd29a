"""Tolerations, affinity, spreading."""

from __future__ import annotations

import pytest

from kubus.model.validation.placement import affinity_errors, spread_errors, tolerations_errors


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, []),
        ({"key": "a", "value": "b", "effect": "NoSchedule"}, []),
        ({"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}, []),
        (
            {"operator": "Equal"},
            [
                't[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, '
                'which means "match all values and all keys"'
            ],
        ),
        (
            {"key": "a", "operator": "Exists", "tolerationSeconds": 5},
            ["t[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"],
        ),
        (
            {"key": "a", "operator": "Is"},
            ['t[0].operator: Unsupported value: "Is": supported values: "Equal", "Exists"'],
        ),
        (
            {"key": "a", "effect": "Maybe"},
            [
                't[0].effect: Unsupported value: "Maybe": supported values: '
                '"NoSchedule", "PreferNoSchedule", "NoExecute"'
            ],
        ),
    ],
)
def test_tolerations(toleration, expected):
    assert [str(error) for error in tolerations_errors([toleration], "t")] == expected


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    ("affinity", "expected"),
    [
        (
            {"nodeAffinity": {REQUIRED: {}}},
            f"a.nodeAffinity.{REQUIRED}.nodeSelectorTerms: Required value: must have at least one node selector term",
        ),
        (
            {"nodeAffinity": {PREFERRED: [{"weight": 0, "preference": {}}]}},
            f"a.nodeAffinity.{PREFERRED}[0].weight: Invalid value: 0: must be in the range 1-100",
        ),
        (
            {"podAntiAffinity": {REQUIRED: [{"labelSelector": {}}]}},
            f"a.podAntiAffinity.{REQUIRED}[0].topologyKey: Required value: can not be empty",
        ),
        (
            {"podAffinity": {REQUIRED: [{"topologyKey": "z", "namespaces": ["A"]}]}},
            f'a.podAffinity.{REQUIRED}[0].namespace: Invalid value: "A": a lowercase RFC 1123 label',
        ),
        (
            {"podAffinity": {PREFERRED: [{"weight": 101, "podAffinityTerm": {"topologyKey": "z"}}]}},
            f"a.podAffinity.{PREFERRED}[0].weight: Invalid value: 101: must be in the range 1-100",
        ),
        (
            {
                "nodeAffinity": {
                    REQUIRED: {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}
                        ]
                    }
                }
            },
            f"a.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].values: Forbidden: "
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
        (
            {
                "nodeAffinity": {
                    REQUIRED: {
                        "nodeSelectorTerms": [{"matchFields": [{"key": "spec.x", "operator": "In", "values": ["b"]}]}]
                    }
                }
            },
            f'a.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "spec.x": '
            "not a valid field selector key",
        ),
        (
            {
                "nodeAffinity": {
                    REQUIRED: {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "Exists"}]}]}
                }
            },
            f'a.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchFields[0].operator: Invalid value: "Exists": '
            "not a valid selector operator",
        ),
    ],
)
def test_affinity(affinity, expected):
    assert str(affinity_errors(affinity, "a")[0]).startswith(expected)


def test_node_affinity_with_an_expression_is_fine():
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    assert affinity_errors({"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}}}, "a") == []


def test_spreading():
    fine = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    assert spread_errors([fine], "s") == []
    assert [str(error) for error in spread_errors([{**fine, "maxSkew": 0}], "s")] == [
        "s[0].maxSkew: Invalid value: 0: must be greater than zero"
    ]
    assert len(spread_errors([fine, fine], "s")) == 1
