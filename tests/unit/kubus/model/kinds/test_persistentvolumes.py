"""PersistentVolumes: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.persistentvolumes import KIND
from kubus.testing.kinds import created, sent, shown


def test_a_new_volume_is_pending_and_kept():
    made = created(KIND, sent(KIND))
    assert made["status"] == {"phase": "Pending"}
    assert made["spec"] == {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"}


def test_the_row():
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
        "claimRef": {"namespace": "default", "name": "data"},
    }
    row = shown(KIND, sent(KIND, spec=spec, status={"phase": "Bound"}))
    assert (row["Capacity"], row["Access Modes"], row["Claim"]) == ("1Gi", "RWO,RWX", "default/data")
    assert (row["Status"], row["VolumeAttributesClass"]) == ("Bound", "<unset>")
    dying = sent(KIND, metadata={"deletionTimestamp": "2026-01-31T12:00:00Z"}, status={"phase": "Bound"})
    assert shown(KIND, dying)["Status"] == "Terminating"
