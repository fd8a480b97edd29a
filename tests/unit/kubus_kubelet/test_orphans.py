"""Pods of which little is known."""

from __future__ import annotations

from datetime import UTC, datetime

from kubus_kubelet.orphans import orphan
from kubus_kubelet.pod_machine import decide
from kubus_kubelet.states import ContainerSeen, PodSeen, RemovePod, StopContainer


def test_an_orphan_can_be_wound_up():
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    pod = orphan("u", ["b", "a", "a"])
    seen = PodSeen(gone=True, containers=(ContainerSeen("c", "a"),))
    assert decide(pod, seen, now).actions == (StopContainer("c", "a", 1.0, "Stopping container a"),)
    assert decide(pod, PodSeen(gone=True), now).actions == (RemovePod(),)
