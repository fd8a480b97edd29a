"""ReplicaSets: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.replicasets import KIND
from kubus.testing.kinds import created, sent, shown


def test_one_replica_unless_it_says_otherwise():
    assert created(KIND, sent(KIND))["spec"]["replicas"] == 1
    assert created(KIND, sent(KIND, spec={"replicas": 0}))["spec"]["replicas"] == 0


def test_the_row_counts():
    row = shown(KIND, sent(KIND, spec={"replicas": 3}, status={"replicas": 2, "readyReplicas": 1}))
    assert (row["Desired"], row["Current"], row["Ready"]) == (3, 2, 1)
