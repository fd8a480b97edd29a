"""IPAddresses: the name is the address."""

from __future__ import annotations

import pytest

from kubus.model.kinds.ipaddresses import KIND
from kubus.testing.kinds import complaints, created, sent

PARENT = {"resource": "services", "namespace": "d", "name": "s"}


@pytest.mark.parametrize(
    ("name", "parent", "wrong"),
    [
        ("10.0.0.7", PARENT, []),
        ("fd00::7", PARENT, []),
        ("fd00:0::7", PARENT, ["metadata.name"]),
        ("seven", PARENT, ["metadata.name"]),
        ("10.0.0.7", None, ["spec.parentRef"]),
        ("10.0.0.7", {"resource": "services"}, ["spec.parentRef.name"]),
    ],
)
def test_an_address_and_who_holds_it(name, parent, wrong):
    made = created(KIND, sent(KIND, name=name, spec={"parentRef": parent} if parent else {}))
    assert [each.partition(":")[0] for each in complaints(KIND, made)] == wrong


def test_who_holds_it_is_said_once():
    old = created(KIND, sent(KIND, name="10.0.0.7", spec={"parentRef": PARENT}))
    new = {**old, "spec": {"parentRef": {**PARENT, "name": "t"}}}
    (error,) = complaints(KIND, new, old)
    assert error.startswith("spec.parentRef") and error.endswith("field is immutable")
