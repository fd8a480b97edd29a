"""HorizontalPodAutoscalers: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.horizontalpodautoscalers import KIND
from kubus.testing.kinds import complaints, created, sent

TARGET = {"kind": "Deployment", "name": "web"}


def _autoscaler(**spec):
    return created(KIND, sent(KIND, spec={"maxReplicas": 3, "scaleTargetRef": TARGET, **spec}))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        ({"minReplicas": 0}, ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"]),
        (
            {"minReplicas": 5},
            ["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"],
        ),
        ({"scaleTargetRef": {"kind": "Deployment"}}, ["spec.scaleTargetRef.name: Required value"]),
        (
            {"metrics": [{"type": "Mood"}]},
            [
                'spec.metrics[0].type: Unsupported value: "Mood": supported values: '
                '"ContainerResource", "External", "Object", "Pods", "Resource"'
            ],
        ),
        (
            {"metrics": [{"type": "Pods"}]},
            ["spec.metrics[0].pods: Required value: must populate information for the given metric source"],
        ),
    ],
)
def test_bounds_target_and_metrics(spec, expected):
    assert complaints(KIND, _autoscaler(**spec)) == expected
