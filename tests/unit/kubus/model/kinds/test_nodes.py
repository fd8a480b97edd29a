"""Nodes: defaults and row."""

from __future__ import annotations

import pytest

from kubus.model.kinds.nodes import KIND
from kubus.testing.kinds import created, sent, shown


@pytest.mark.parametrize(
    ("conditions", "spec", "status"),
    [
        ([], {}, "Unknown"),
        ([{"type": "Ready", "status": "True"}], {}, "Ready"),
        ([{"type": "Ready", "status": "Unknown"}], {}, "NotReady"),
        ([{"type": "Ready", "status": "True"}], {"unschedulable": True}, "Ready,SchedulingDisabled"),
    ],
)
def test_the_status_is_readiness_and_whether_pods_may_come(conditions, spec, status):
    assert shown(KIND, sent(KIND, spec=spec, status={"conditions": conditions}))["Status"] == status


@pytest.mark.parametrize(
    ("labels", "roles"),
    [
        ({}, "<none>"),
        ({"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": ""}, "control-plane,worker"),
        ({"kubernetes.io/role": "edge"}, "edge"),
    ],
)
def test_roles_are_labels(labels, roles):
    assert shown(KIND, sent(KIND, metadata={"labels": labels}))["Roles"] == roles


def test_addresses_and_versions():
    status = {
        "addresses": [{"type": "Hostname", "address": "x"}, {"type": "InternalIP", "address": "10.0.0.1"}],
        "nodeInfo": {"kubeletVersion": "v1.37.0", "osImage": "Debian"},
    }
    row = shown(KIND, sent(KIND, status=status))
    assert (row["Internal-IP"], row["External-IP"], row["Version"]) == ("10.0.0.1", "<none>", "v1.37.0")
    assert (row["OS-Image"], row["Kernel-Version"]) == ("Debian", "<unknown>")


def test_all_there_is_can_be_handed_out():
    made = created(KIND, sent(KIND, status={"capacity": {"cpu": "4", "pods": "9"}, "allocatable": {"cpu": "3"}}))
    assert made["status"]["allocatable"] == {"cpu": "3", "pods": "9"}
