"""HorizontalPodAutoscalers: defaults and row."""

from __future__ import annotations

import pytest

from kubus.model.kinds.horizontalpodautoscalers import KIND
from kubus.testing.kinds import created, sent, shown

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
USED = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 30}}}
PODS = {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"averageValue": "10"}}}
QUEUE = {"type": "External", "external": {"metric": {"name": "q"}, "target": {"averageValue": "5"}}}


def test_by_default_the_goal_is_eighty_percent_of_cpu():
    spec = created(KIND, sent(KIND))["spec"]
    assert spec["minReplicas"] == 1
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 80


@pytest.mark.parametrize(
    ("metrics", "statuses", "text"),
    [
        ([], [], "<none>"),
        ([CPU], [], "cpu: <unknown>/50%"),
        ([CPU], [USED], "cpu: 30%/50%"),
        ([PODS, QUEUE], [], "<unknown>/10, <unknown>/5 (avg)"),
        ([CPU, PODS, QUEUE], [], "cpu: <unknown>/50%, <unknown>/10 + 1 more..."),
    ],
)
def test_targets(metrics, statuses, text):
    made = sent(KIND, spec={"metrics": metrics}, status={"currentMetrics": statuses})
    assert shown(KIND, made)["Targets"] == text


def test_the_row():
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5}
    row = shown(KIND, sent(KIND, spec=spec, status={"currentReplicas": 2}))
    assert (row["Reference"], row["MinPods"], row["MaxPods"], row["Replicas"]) == ("Deployment/web", "<unset>", 5, 2)
