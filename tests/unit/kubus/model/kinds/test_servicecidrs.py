"""ServiceCIDRs: rules and row."""

from __future__ import annotations

from kubus.model.kinds.servicecidrs import KIND
from kubus.testing.kinds import complaints, sent, shown


def test_ranges_are_given_once():
    old, new = (sent(KIND, spec={"cidrs": [cidr]}) for cidr in ("10.96.0.0/16", "10.97.0.0/16"))
    assert complaints(KIND, old) == []
    assert complaints(KIND, new, old) == ['spec.cidrs: Invalid value: ["10.97.0.0/16"]: field is immutable']
    assert complaints(KIND, sent(KIND)) == ["spec.cidrs: Required value: at least one CIDR required"]
    assert shown(KIND, old)["CIDRs"] == "10.96.0.0/16"
