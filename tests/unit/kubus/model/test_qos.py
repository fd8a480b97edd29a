"""Classes of service."""

from __future__ import annotations

import pytest

from kubus.model.qos import qos_class

FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
        ([{"limits": FULL, "requests": FULL}], "Guaranteed"),
        ([{"limits": FULL, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
        ([{"limits": FULL}], "Guaranteed"),
        ([{"limits": FULL, "requests": {**FULL, "cpu": "500m"}}], "Burstable"),
        ([{"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": FULL, "requests": FULL}, {}], "Burstable"),
        ([{"requests": {"example.com/gpu": "1"}}], "BestEffort"),
    ],
)
def test_the_class_follows_from_requests_and_limits(resources, expected):
    assert qos_class({"spec": {"containers": [{"resources": each} for each in resources]}}) == expected
