"""Namespaces: label, phase and finalizer."""

from __future__ import annotations

from kubus.model.kinds.namespaces import KIND
from kubus.testing.kinds import created, sent, shown, updated


def test_a_new_namespace_is_active_and_labelled_with_its_name():
    made = created(KIND, sent(KIND, metadata={"labels": {"a": "b"}}))
    assert made["metadata"]["labels"] == {"a": "b", "kubernetes.io/metadata.name": "x"}
    assert made["spec"] == {"finalizers": ["kubernetes"]}
    assert shown(KIND, made)["Status"] == "Active"


def test_an_update_does_not_touch_the_finalizer():
    old = created(KIND, sent(KIND))
    assert updated(KIND, sent(KIND, spec={"finalizers": []}), old)["spec"] == {"finalizers": ["kubernetes"]}
