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


AT = "spec.metrics[0]"
USED = {"type": "Utilization", "averageUtilization": 50}
RAW = {"type": "AverageValue", "averageValue": "1"}


def _metric(**metric):
    return complaints(KIND, _autoscaler(metrics=[metric]))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ({"type": "Resource", "resource": {"name": "cpu", "target": USED}}, []),
        ({"type": "Pods", "pods": {"metric": {"name": "m"}, "target": RAW}}, []),
        (
            {"type": "Resource", "resource": {"target": {"type": "Utilization"}}},
            [
                f"{AT}.resource.name: Required value: must specify a resource name",
                f"{AT}.resource.target.averageUtilization: Required value: "
                "must set either a target raw value or a target utilization",
            ],
        ),
        (
            {"type": "Resource", "resource": {"name": "cpu", "target": {**USED, "averageValue": "1"}}},
            [
                f"{AT}.resource.target.averageValue: Forbidden: "
                "may not set both a target raw value and a target utilization"
            ],
        ),
        (
            {"type": "ContainerResource", "containerResource": {"name": "cpu", "target": USED}},
            [f"{AT}.containerResource.container: Required value: must specify a container"],
        ),
        (
            {"type": "Pods", "pods": {"metric": {}, "target": {"type": "Mood", "averageValue": "-1"}}},
            [
                f"{AT}.pods.metric.name: Required value: must specify a metric name",
                f'{AT}.pods.target.type: Invalid value: "Mood": must be either Utilization, Value, or AverageValue',
                f'{AT}.pods.target.averageValue: Invalid value: "-1": must be positive',
            ],
        ),
        (
            {"type": "Object", "object": {"metric": {"name": "a/b"}, "describedObject": {"kind": "X"}, "target": RAW}},
            [
                f"{AT}.object.describedObject.name: Required value",
                f"{AT}.object.metric.name: Invalid value: \"a/b\": may not contain '/'",
            ],
        ),
        (
            {"type": "External", "external": {"metric": {"name": "m"}, "target": {**RAW, "value": "1"}}},
            [f"{AT}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target"],
        ),
        (
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": USED},
                "pods": {"metric": {"name": "m"}, "target": RAW},
            },
            [f"{AT}.pods: Forbidden: must populate the given metric source only"],
        ),
    ],
)
def test_each_metric_says_what_it_measures_and_what_for(metric, expected):
    assert sorted(_metric(**metric)) == sorted(expected)


def test_behavior_is_completed_in_both_directions_and_checked():
    spec = _autoscaler(behavior={"scaleUp": {"stabilizationWindowSeconds": 30}})["spec"]["behavior"]
    assert spec["scaleUp"]["stabilizationWindowSeconds"] == 30
    assert [each["type"] for each in spec["scaleUp"]["policies"]] == ["Pods", "Percent"]
    assert spec["scaleDown"] == {
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    }
    wrong = {"stabilizationWindowSeconds": 3601, "selectPolicy": "Best", "policies": [{"type": "Pods", "value": 1}]}
    at = "spec.behavior.scaleDown"
    assert complaints(KIND, _autoscaler(behavior={"scaleDown": wrong})) == [
        f"{at}.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
        f'{at}.selectPolicy: Unsupported value: "Best": supported values: "Disabled", "Max", "Min"',
        f"{at}.policies[0].periodSeconds: Invalid value: 0: must be greater than zero",
    ]
