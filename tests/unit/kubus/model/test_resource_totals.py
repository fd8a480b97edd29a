"""What a pod asks for altogether."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from kubus.model.resource_totals import LIMITS, REQUESTS, amounts, pod_totals, shown


def container(cpu: str, **fields: Any) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}, **fields}


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [container("100m"), container("200m")]}, "300m"),
        ({"containers": [container("100m")], "initContainers": [container("1"), container("2")]}, "2"),
        ({"containers": [container("1")], "initContainers": [container("1", restartPolicy="Always")]}, "2"),
        (
            {
                "containers": [container("1")],
                "initContainers": [container("1", restartPolicy="Always"), container("2")],
            },
            "3",
        ),
        ({"containers": [container("1")], "overhead": {"cpu": "100m"}}, "1100m"),
        ({"containers": [container("1")], "resources": {"requests": {"cpu": "4"}, "limits": {"cpu": "4"}}}, "4"),
        ({}, ""),
    ],
)
def test_totals(spec: dict[str, Any], cpu: str) -> None:
    expected = amounts({"cpu": cpu}) if cpu else {}
    assert pod_totals(spec, REQUESTS) == expected
    assert pod_totals(spec, LIMITS) == expected


def test_amounts_are_shown_as_kubernetes_writes_them() -> None:
    assert shown("memory", Fraction(1024**3)) == "1Gi"
    assert shown("requests.storage", Fraction(1500)) == "1500"
    assert shown("cpu", Fraction(3, 2)) == "1500m"
    assert shown("pods", Fraction(10)) == "10"
    assert amounts({"cpu": "nonsense"}) == {}
