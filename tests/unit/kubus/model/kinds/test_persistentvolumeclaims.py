"""PersistentVolumeClaims: row."""

from __future__ import annotations

from kubus.model.kinds.persistentvolumeclaims import KIND
from kubus.testing.kinds import created, sent, shown


def test_a_new_claim_is_pending_and_shows_no_capacity():
    row = shown(KIND, created(KIND, sent(KIND, spec={"accessModes": ["ReadWriteOnce"]})))
    assert (row["Status"], row["Volume"], row["Capacity"], row["Access Modes"]) == ("Pending", "", "", "")
    assert row["VolumeMode"] == "Filesystem"


def test_a_bound_claim_shows_what_it_got():
    status = {"phase": "Bound", "capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"]}
    row = shown(KIND, sent(KIND, spec={"volumeName": "pv"}, status=status))
    assert (row["Status"], row["Volume"], row["Capacity"], row["Access Modes"]) == ("Bound", "pv", "2Gi", "RWO")
