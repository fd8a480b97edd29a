"""DaemonSets: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.daemonsets import KIND
from kubus.testing.kinds import created, sent, shown


def test_nodes_are_updated_one_at_a_time():
    assert created(KIND, sent(KIND))["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
    }


def test_the_row_counts_nodes():
    status = {"desiredNumberScheduled": 5, "currentNumberScheduled": 4, "numberReady": 3}
    spec = {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}
    row = shown(KIND, sent(KIND, spec=spec, status=status))
    assert (row["Desired"], row["Current"], row["Ready"], row["Available"]) == (5, 4, 3, 0)
    assert row["Node Selector"] == "disk=ssd"
