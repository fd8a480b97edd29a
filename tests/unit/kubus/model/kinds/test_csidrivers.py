"""CSIDrivers: defaults and row."""

from __future__ import annotations

from kubus.model.kinds.csidrivers import KIND
from kubus.testing.kinds import created, sent, shown


def test_defaults_and_row():
    row = shown(KIND, created(KIND, sent(KIND)))
    assert (row["AttachRequired"], row["PodInfoOnMount"], row["Modes"]) == (True, False, "Persistent")
    assert row["TokenRequests"] == "<unset>"
    asking = sent(KIND, spec={"tokenRequests": [{"audience": "a"}, {"audience": "b"}]})
    assert shown(KIND, asking)["TokenRequests"] == "a,b"
