"""The helpers that show what a kind makes of an object."""

from __future__ import annotations

from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.pods import KIND as PODS
from kubus.testing.kinds import complaints, copy_of, created, sent, shown, updated


def test_namespaced_objects_are_in_default():
    assert sent(PODS)["metadata"] == {"name": "x", "namespace": "default"}
    assert sent(NAMESPACES, "n")["metadata"] == {"name": "n"}


def test_what_was_sent_is_left_alone():
    obj = sent(PODS, spec={"containers": [{"name": "c", "image": "i"}]})
    before = copy_of(obj)
    stored = created(PODS, obj)
    assert complaints(PODS, stored) == []
    assert updated(PODS, obj, stored)["spec"] == stored["spec"]
    assert shown(PODS, stored)["Status"] == "Pending"
    assert obj == before
