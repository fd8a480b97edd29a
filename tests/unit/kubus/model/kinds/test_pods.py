"""Pods: what a new one is given, row and field selectors."""

from __future__ import annotations

from kubus.model.kinds.pods import KIND
from kubus.testing.kinds import created, sent, shown


def test_a_new_pod_is_pending_with_its_class_of_service():
    assert created(KIND, sent(KIND, status={"phase": "Running"}))["status"] == {
        "phase": "Pending",
        "qosClass": "BestEffort",
    }


def test_the_row():
    status = {
        "phase": "Running",
        "podIPs": [{"ip": "10.244.0.5"}],
        "containerStatuses": [{"name": "c", "ready": True, "state": {"running": {}}}],
        "conditions": [{"type": "example.com/ok", "status": "True"}],
    }
    spec = {
        "nodeName": "n1",
        "containers": [{"name": "c"}],
        "readinessGates": [{"conditionType": "example.com/ok"}, {"conditionType": "example.com/later"}],
    }
    assert shown(KIND, sent(KIND, spec=spec, status=status)) == {
        "Name": "x",
        "Ready": "1/1",
        "Status": "Running",
        "Restarts": "0",
        "Age": "<unknown>",
        "IP": "10.244.0.5",
        "Node": "n1",
        "Nominated Node": "<none>",
        "Readiness Gates": "1/2",
    }


def test_field_selectors_read_texts():
    pod = sent(KIND, spec={"nodeName": "n1", "hostNetwork": True}, status={"phase": "Running"})
    found = {name: get(pod) for name, get in KIND.fields.items()}
    assert found["spec.nodeName"] == "n1"
    assert found["spec.hostNetwork"] == "true"
    assert found["status.phase"] == "Running"
    assert found["status.podIP"] == ""
