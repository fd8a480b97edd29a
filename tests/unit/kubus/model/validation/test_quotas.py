"""Quotas and limit ranges: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.limitranges import KIND as RANGES
from kubus.model.kinds.resourcequotas import KIND as QUOTAS
from kubus.testing.kinds import complaints, created, sent, shown


def _range(*items):
    return created(RANGES, sent(RANGES, spec={"limits": list(items)}))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([{"type": "Container", "max": {"cpu": "2"}, "default": {"cpu": "1"}}], []),
        ([{"type": "Pod"}, {"type": "Pod"}], ['spec.limits[1].type: Duplicate value: "Pod"']),
        (
            [{"type": "Pod", "default": {"cpu": "1"}}],
            ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
        ),
        (
            [{"type": "PersistentVolumeClaim", "min": {"storage": "2Gi"}, "max": {"storage": "1Gi"}}],
            ['spec.limits[0].min[storage]: Invalid value: "2Gi": min value 2Gi is greater than max value 1Gi'],
        ),
    ],
)
def test_limit_ranges(items, expected):
    assert complaints(RANGES, _range(*items)) == expected


def test_a_containers_defaults_follow_from_the_bounds():
    (item,) = _range({"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}})["spec"]["limits"]
    assert item["default"] == {"cpu": "2"}
    assert item["defaultRequest"] == {"cpu": "2", "memory": "1Mi"}


def test_quotas():
    assert complaints(QUOTAS, sent(QUOTAS, spec={"hard": {"pods": "5", "requests.cpu": "1"}})) == []
    assert complaints(QUOTAS, sent(QUOTAS, spec={"hard": {"pods": "-5"}})) == [
        'spec.hard[pods]: Invalid value: "-5": must be greater than or equal to 0'
    ]
    old = sent(QUOTAS, spec={"scopes": ["BestEffort"]})
    assert complaints(QUOTAS, sent(QUOTAS, spec={}), old) == ["spec.scopes: Invalid value: []: field is immutable"]


def test_a_quota_shows_what_is_used():
    status = {"hard": {"pods": "5", "limits.cpu": "4"}, "used": {"pods": "2", "limits.cpu": "1"}}
    row = shown(QUOTAS, sent(QUOTAS, status=status))
    assert (row["Request"], row["Limit"]) == ("pods: 2/5", "limits.cpu: 1/4")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"hard": {"pods": "1", "hugepages-2Mi": "1", "requests.nvidia.com/gpu": "1", "count/x.y": "1"}}, []),
        ({"hard": {"cpus": "1"}}, ['spec.hard[cpus]: Invalid value: "cpus": must be a standard resource for quota']),
        ({"hard": {"pods": "1"}, "scopes": ["BestEffort"]}, []),
        (
            {"hard": {"cpu": "1"}, "scopes": ["BestEffort"]},
            ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
        ),
        ({"scopes": ["Odd"]}, ['spec.scopes: Invalid value: ["Odd"]: unsupported scope']),
        (
            {"scopes": ["Terminating", "NotTerminating"]},
            ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
        ),
        ({"hard": {"requests.storage": "1"}, "selector": ("VolumeAttributesClass", "In", ["a"])}, []),
        (
            {"hard": {"secrets": "1"}, "selector": ("PriorityClass", "Exists", [])},
            ['expressions.scopeName: Invalid value: "PriorityClass": unsupported scope applied to resource'],
        ),
        ({"selector": ("BestEffort", "Exists", [])}, []),
        (
            {"selector": ("PriorityClass", "In", [])},
            [
                "expressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for "
                "scope selector"
            ],
        ),
        (
            {"selector": ("PriorityClass", "Near", [])},
            ['expressions.operator: Invalid value: "Near": not a valid selector operator'],
        ),
    ],
)
def test_quotas_and_their_scopes(spec, expected):
    scope, operator, values = spec.pop("selector", ("", "", []))
    if scope:
        term = {"scopeName": scope, "operator": operator, "values": values}
        spec["scopeSelector"] = {"matchExpressions": [term]}
    found = complaints(QUOTAS, created(QUOTAS, sent(QUOTAS, spec=spec)))
    assert found == [each.replace("expressions.", "spec.scopeSelector.matchExpressions.") for each in expected]


def test_a_scope_that_can_only_exist():
    term = {"scopeName": "Terminating", "operator": "In", "values": ["x"]}
    quota = created(QUOTAS, sent(QUOTAS, spec={"scopeSelector": {"matchExpressions": [term]}}))
    assert ["must be 'Exist'" in each for each in complaints(QUOTAS, quota)] == [True]
