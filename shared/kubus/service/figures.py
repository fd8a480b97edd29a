"""Figures that several services have in common, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge


def publish_quarantined(metrics: CollectorRegistry, count: Callable[[], float]) -> None:
    """Show how many objects are quarantined; counted when Prometheus asks."""
    meaning = (
        "Objects whose newest state cannot be used: it does not have the shape of its kind, or a reader failed on it."
    )
    Gauge("kubus_quarantined_objects", meaning, registry=metrics).set_function(count)
