"""Requests and limits."""

from __future__ import annotations

import pytest

from kubus.model.validation.resources import resources_errors


@pytest.mark.parametrize(
    ("limits", "requests", "expected"),
    [
        ({"cpu": "1", "memory": "1Gi"}, {"cpu": "500m", "memory": "1Gi"}, []),
        ({"example.com/gpu": "1"}, {"example.com/gpu": "1"}, []),
        (
            {"cpu": "500m"},
            {"cpu": "1"},
            ['r.requests: Invalid value: "1": must be less than or equal to cpu limit of 500m'],
        ),
        ({"cpu": "-1"}, {}, ['r.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']),
        (
            {"gpu": "1"},
            {},
            [
                'r.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
                'r.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers',
            ],
        ),
        ({"pods": "1"}, {}, ['r.limits[pods]: Invalid value: "pods": must be a standard resource for containers']),
        ({"hugepages-2Mi": "4Mi"}, {}, ["r: Forbidden: HugePages require cpu or memory"]),
        (
            {},
            {"example.com/gpu": "1"},
            ["r.limits: Required value: Limit must be set for non overcommitable resources"],
        ),
        (
            {"example.com/gpu": "500m"},
            {},
            ['r.limits[example.com/gpu]: Invalid value: "500m": must be an integer'],
        ),
        (
            {"example.com/gpu": "2"},
            {"example.com/gpu": "1"},
            ['r.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2'],
        ),
    ],
)
def test_requests_stay_within_limits(limits, requests, expected):
    errors = resources_errors({"limits": limits, "requests": requests}, "r")
    assert [str(error) for error in errors] == expected
