"""StorageClasses: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.storageclasses import KIND
from kubus.testing.kinds import created, sent, shown


def test_the_default_class_says_so():
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    row = shown(KIND, created(KIND, sent(KIND, provisioner="p", metadata={"annotations": annotations})))
    assert row["Name"] == "x (default)"
    assert (row["ReclaimPolicy"], row["VolumeBindingMode"]) == ("Delete", "Immediate")
    assert row["AllowVolumeExpansion"] is False
