"""Deployments: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.deployments import KIND
from kubus.testing.kinds import created, sent, shown

POD = {"spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "j:2"}]}}


def test_defaults_roll_by_a_quarter():
    spec = created(KIND, sent(KIND))["spec"]
    assert spec["replicas"] == 1
    assert spec["revisionHistoryLimit"] == 10
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }


def test_recreate_has_no_rolling_update():
    assert created(KIND, sent(KIND, spec={"strategy": {"type": "Recreate"}}))["spec"]["strategy"] == {
        "type": "Recreate"
    }


def test_the_row():
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": POD}
    status = {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}
    made = sent(KIND, spec=spec, status=status, metadata={"creationTimestamp": "2026-01-26T09:00:00Z"})
    assert shown(KIND, made) == {
        "Name": "x",
        "Ready": "2/3",
        "Up-to-date": 3,
        "Available": 1,
        "Age": "5d3h",
        "Containers": "a,b",
        "Images": "i:1,j:2",
        "Selector": "app=web",
    }
    assert [column.name for column in KIND.columns if column.priority] == ["Containers", "Images", "Selector"]
