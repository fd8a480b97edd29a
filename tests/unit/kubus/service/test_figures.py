"""Figures that several services show."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from kubus.service.figures import publish_quarantined


def test_quarantined_objects_are_counted_when_they_are_asked_for() -> None:
    metrics, quarantined = CollectorRegistry(), ["a"]
    publish_quarantined(metrics, lambda: len(quarantined))
    quarantined.append("b")
    assert metrics.get_sample_value("kubus_quarantined_objects") == 2
