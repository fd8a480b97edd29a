"""CertificateSigningRequests: defaults, rules and row."""

from __future__ import annotations

import pytest

from kubus.model.kinds.certificatesigningrequests import KIND
from kubus.testing.kinds import complaints, created, sent, shown

SPEC = {"request": "AA==", "signerName": "example.com/s", "expirationSeconds": 7200}


@pytest.mark.parametrize(
    ("status", "condition"),
    [
        ({}, "Pending"),
        ({"conditions": [{"type": "Approved"}]}, "Approved"),
        ({"conditions": [{"type": "Approved"}], "certificate": "AA=="}, "Approved,Issued"),
        ({"conditions": [{"type": "Approved"}, {"type": "Denied"}]}, "Denied"),
        ({"conditions": [{"type": "Failed"}]}, "Pending,Failed"),
    ],
)
def test_the_condition_says_what_came_of_it(status, condition):
    row = shown(KIND, sent(KIND, spec=SPEC, status=status))
    assert (row["Condition"], row["RequestedDuration"]) == (condition, "120m")


def test_a_request_is_made_once():
    old = created(KIND, sent(KIND, spec=SPEC))
    assert complaints(KIND, old) == []
    (error,) = complaints(KIND, created(KIND, sent(KIND, spec={**SPEC, "signerName": "example.com/t"})), old)
    assert error.endswith("field is immutable")
