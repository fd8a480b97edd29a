"""VolumeAttributesClasses: rules."""

from __future__ import annotations

from kubus.model.kinds.volumeattributesclasses import KIND
from kubus.testing.kinds import complaints, sent, shown


def test_a_class_never_changes():
    old, new = (sent(KIND, driverName="d", parameters={"iops": iops}) for iops in ("1", "2"))
    assert complaints(KIND, old) == []
    assert complaints(KIND, new, old) == ["parameters: Forbidden: updates to parameters are forbidden."]
    assert shown(KIND, old)["DriverName"] == "d"
