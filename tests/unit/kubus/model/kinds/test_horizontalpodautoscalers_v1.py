"""autoscaling/v1: nothing is lost between the two versions."""

from __future__ import annotations

from kubus.model.kinds.horizontalpodautoscalers import KIND as V2
from kubus.model.kinds.horizontalpodautoscalers_v1 import KIND, from_stored, to_stored
from kubus.model.schema import load_schemas
from kubus.testing.kinds import complaints, created, sent, shown

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
PODS = {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "10"}}}
FULL = sent(
    V2,
    spec={
        "maxReplicas": 3,
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "metrics": [CPU, PODS],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}},
    },
    status={
        "desiredReplicas": 1,
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 20}}}],
        "conditions": [{"type": "AbleToScale", "status": "True"}],
    },
)


def test_what_v1_cannot_say_travels_in_annotations():
    view = from_stored(FULL)
    assert view["apiVersion"] == "autoscaling/v1"
    assert view["spec"]["targetCPUUtilizationPercentage"] == 50
    assert view["status"]["currentCPUUtilizationPercentage"] == 20
    assert "autoscaling.alpha.kubernetes.io/behavior" in view["metadata"]["annotations"]
    assert load_schemas().check(KIND.schema, view) == ((), ())
    assert to_stored(view) == FULL


def test_an_object_made_as_v1_has_a_goal():
    spec = {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}
    made = created(KIND, sent(KIND, spec=spec))
    assert made["spec"]["targetCPUUtilizationPercentage"] == 80
    assert complaints(KIND, made) == []
    assert shown(KIND, made)["Targets"] == "cpu: <unknown>/80%"
    assert KIND.collection == V2.collection


def test_an_annotation_that_is_no_json_is_passed_over():
    broken = sent(KIND, spec={}, metadata={"annotations": {"autoscaling.alpha.kubernetes.io/metrics": "{"}})
    assert "metrics" not in to_stored(broken)["spec"]
