"""HorizontalPodAutoscalers.

Follows pkg/apis/autoscaling/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, invalid, required
from kubus.model.objects import Object
from kubus.model.validation.values import required_one_of

TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")


def autoscaler_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """What is wrong with an autoscaler: its bounds, its target, its metrics."""
    spec = obj.get("spec") or {}
    lowest, highest = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    errors: list[FieldError] = []
    if lowest is not None and lowest < 1:
        errors.append(invalid("spec.minReplicas", lowest, "must be greater than or equal to 1"))
    if highest < 1:
        errors.append(invalid("spec.maxReplicas", highest, "must be greater than 0"))
    if lowest is not None and highest < lowest:
        detail = "must be greater than or equal to `minReplicas`"
        errors.append(invalid("spec.maxReplicas", highest, detail))
    target = spec.get("scaleTargetRef") or {}
    errors += [required(f"spec.scaleTargetRef.{key}") for key in ("kind", "name") if not target.get(key)]
    for index, metric in enumerate(spec.get("metrics") or ()):
        errors += _metric_errors(metric, f"spec.metrics[{index}]")
    return errors


def _metric_errors(metric: Object, path: str) -> list[FieldError]:
    kind = metric.get("type") or ""
    errors = required_one_of(kind, f"{path}.type", TYPES)
    if errors:
        return errors
    key = kind[0].lower() + kind[1:]
    source = metric.get(key)
    if source is None:
        return [required(f"{path}.{key}", "must populate information for the given metric source")]
    target = source.get("target") or {}
    percent = target.get("averageUtilization")
    if percent is not None and percent < 1:
        return [invalid(f"{path}.{key}.target.averageUtilization", percent, "must be greater than 0")]
    if not {"averageUtilization", "averageValue", "value"} & target.keys():
        detail = "must set either a target raw value or a target utilization"
        return [required(f"{path}.{key}.target.averageUtilization", detail)]
    return []
