"""HorizontalPodAutoscalers as autoscaling/v1 shows them: one target for CPU, everything else in annotations.

The stored object is v2. What v1 has no field for (other metrics, behavior, conditions) travels in annotations of
fixed names, so that an object read and written back as v1 loses nothing.
"""

from __future__ import annotations

from typing import Any

from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.kinds import Kind
from kubus.model.kinds.horizontalpodautoscalers import CPU_PERCENT
from kubus.model.kinds.horizontalpodautoscalers import KIND as V2
from kubus.model.objects import Object, annotations_of, metadata
from kubus.model.views import view_of

PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, BEHAVIOR = f"{PREFIX}metrics", f"{PREFIX}behavior"
CURRENT, CONDITIONS = f"{PREFIX}current-metrics", f"{PREFIX}conditions"


def _is_cpu(metric: Object) -> bool:
    resource = metric.get("resource") or {}
    percent = (resource.get("target") or resource.get("current") or {}).get("averageUtilization")
    return metric.get("type") == "Resource" and resource.get("name") == "cpu" and percent is not None


def _split(metrics: list[Object] | None, key: str) -> tuple[int | None, list[Object]]:
    """The percentage of the first CPU metric, and all other metrics."""
    others = list(metrics or ())
    for index, metric in enumerate(others):
        if _is_cpu(metric):
            del others[index]
            return metric["resource"][key]["averageUtilization"], others
    return None, others


def from_stored(obj: Object) -> Object:
    """The v1 view of a v2 object."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    notes: dict[str, Any] = {}
    target, notes[METRICS] = _split(spec.pop("metrics", None), "target")
    current, notes[CURRENT] = _split(status.pop("currentMetrics", None), "current")
    notes[BEHAVIOR], notes[CONDITIONS] = spec.pop("behavior", None), status.pop("conditions", None)
    if target is not None:
        spec["targetCPUUtilizationPercentage"] = target
    if current is not None:
        status["currentCPUUtilizationPercentage"] = current
    meta = dict(metadata(obj))
    annotations = {**(meta.get("annotations") or {})}
    annotations.update({key: to_json(value).decode() for key, value in notes.items() if value})
    if annotations:
        meta["annotations"] = annotations
    return {**obj, "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}


def to_stored(obj: Object) -> Object:
    """The v2 object of a v1 view."""
    meta = dict(metadata(obj))
    annotations = dict(meta.get("annotations") or {})
    notes = {key: _decoded(annotations.pop(key, None)) for key in (METRICS, BEHAVIOR, CURRENT, CONDITIONS)}
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    target = spec.pop("targetCPUUtilizationPercentage", None)
    current = status.pop("currentCPUUtilizationPercentage", None)
    metrics = [*_cpu("target", target), *(notes[METRICS] or ())]
    measured = [*_cpu("current", current), *(notes[CURRENT] or ())]
    found = {"metrics": metrics, "behavior": notes[BEHAVIOR]}
    spec.update({key: value for key, value in found.items() if value})
    seen = {"currentMetrics": measured, "conditions": notes[CONDITIONS]}
    status.update({key: value for key, value in seen.items() if value})
    meta.pop("annotations", None)
    if annotations:
        meta["annotations"] = annotations
    stored = {**obj, "apiVersion": "autoscaling/v2", "metadata": meta, "spec": spec, "status": status}
    if not status:
        del stored["status"]
    return stored


def _cpu(key: str, percent: int | None) -> list[Object]:
    if percent is None:
        return []
    value: Object = {"averageUtilization": percent}
    if key == "target":
        value["type"] = "Utilization"
    return [{"type": "Resource", "resource": {"name": "cpu", key: value}}]


def _decoded(text: str | None) -> Any:
    try:
        return from_json(text) if text else None
    except DecodeError:
        return None


def set_defaults(obj: Object) -> None:
    """At least one pod; 80 % of the CPU that was requested, unless the annotation names other metrics."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if METRICS not in annotations_of(obj):
        spec.setdefault("targetCPUUtilizationPercentage", CPU_PERCENT)


KIND: Kind = view_of(
    V2,
    to_stored=to_stored,
    from_stored=from_stored,
    version="v1",
    schema="io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
    defaults=set_defaults,
)
