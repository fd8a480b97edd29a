"""HorizontalPodAutoscalers.

Follows pkg/apis/autoscaling/validation.
"""

from __future__ import annotations

from kubus.model.errors import FieldError, forbidden_field, invalid, not_supported, required
from kubus.model.names import dns_label_errors, path_segment_errors
from kubus.model.objects import Object
from kubus.model.quantities import parse_quantity
from kubus.model.validation.values import one_of

TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
SOURCES = ("object", "external", "pods", "resource", "containerResource")
WINDOW_SECONDS_MAX, PERIOD_SECONDS_MAX = 3600, 1800


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
    errors += _reference_errors(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
    for index, metric in enumerate(spec.get("metrics") or ()):
        errors += _metric_errors(metric, f"spec.metrics[{index}]")
    for key in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(key)
        if rules is not None:
            errors += _behavior_errors(rules, f"spec.behavior.{key}")
    return errors


def _reference_errors(reference: Object, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in ("kind", "name"):
        value = reference.get(key) or ""
        errors += [invalid(f"{path}.{key}", value, each) for each in path_segment_errors(value)]
        errors += [] if value else [required(f"{path}.{key}")]
    return errors


def _metric_errors(metric: Object, path: str) -> list[FieldError]:
    kind = metric.get("type") or ""
    if kind not in TYPES:
        missing = [] if kind else [required(f"{path}.type", "must specify a metric source type")]
        return [*missing, not_supported(f"{path}.type", kind, TYPES)]
    key = kind[0].lower() + kind[1:]
    present = [each for each in SOURCES if metric.get(each) is not None]
    errors = _source_errors(present[0], metric[present[0]], f"{path}.{present[0]}") if present else []
    if key not in present:
        errors.append(required(f"{path}.{key}", "must populate information for the given metric source"))
    if len(present) > 1:
        detail = "must populate the given metric source only"
        errors += [forbidden_field(f"{path}.{each}", detail) for each in present if each != key]
    return errors


def _source_errors(key: str, source: Object, path: str) -> list[FieldError]:
    target = source.get("target") or {}
    at = f"{path}.target"
    value, average, percent = (target.get(each) for each in ("value", "averageValue", "averageUtilization"))
    errors = _identity_errors(key, source, path) + _target_errors(target, at)
    if key in ("resource", "containerResource"):
        if percent is None and average is None:
            detail = "must set either a target raw value or a target utilization"
            errors.append(required(f"{at}.averageUtilization", detail))
        if percent is not None and average is not None:
            detail = "may not set both a target raw value and a target utilization"
            errors.append(forbidden_field(f"{at}.averageValue", detail))
    elif key == "pods":
        if average is None:
            errors.append(required(f"{at}.averageValue", "must specify a positive target averageValue"))
    elif value is None and average is None:
        of_metric = "must set either a target value for metric or a per-pod target"
        detail = of_metric if key == "external" else "must set either a target value or averageValue"
        errors.append(required(f"{at}.averageValue", detail))
    elif key == "external" and value is not None and average is not None:
        detail = "may not set both a target value for metric and a per-pod target"
        errors.append(forbidden_field(f"{at}.value", detail))
    return errors


def _identity_errors(key: str, source: Object, path: str) -> list[FieldError]:
    """What is measured, and of whom."""
    if key in ("resource", "containerResource"):
        errors = [] if source.get("name") else [required(f"{path}.name", "must specify a resource name")]
        container = source.get("container") or ""
        if key == "containerResource" and not container:
            errors.append(required(f"{path}.container", "must specify a container"))
        elif key == "containerResource":
            errors += [invalid(f"{path}.container", container, each) for each in dns_label_errors(container)]
        return errors
    errors = []
    if key == "object":
        errors += _reference_errors(source.get("describedObject") or {}, f"{path}.describedObject")
    name, at = (source.get("metric") or {}).get("name") or "", f"{path}.metric.name"
    if not name:
        return [*errors, required(at, "must specify a metric name")]
    return [*errors, *(invalid(at, name, each) for each in path_segment_errors(name))]


def _target_errors(target: Object, path: str) -> list[FieldError]:
    kind, percent = target.get("type") or "", target.get("averageUtilization")
    errors = [] if kind else [required(f"{path}.type", "must specify a metric target type")]
    if kind not in ("Utilization", "Value", "AverageValue"):
        errors.append(invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for key in ("value", "averageValue"):
        if target.get(key) is not None and parse_quantity(target[key]) <= 0:
            errors.append(invalid(f"{path}.{key}", target[key], "must be positive"))
    if percent is not None and percent < 1:
        errors.append(invalid(f"{path}.averageUtilization", percent, "must be greater than 0"))
    return errors


def _behavior_errors(rules: Object, path: str) -> list[FieldError]:
    window, selected, policies = (rules.get(key) for key in ("stabilizationWindowSeconds", "selectPolicy", "policies"))
    errors: list[FieldError] = []
    if window is not None and window < 0:
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    if window is not None and window > WINDOW_SECONDS_MAX:
        detail = f"must be less than or equal to {WINDOW_SECONDS_MAX}"
        errors.append(invalid(f"{path}.stabilizationWindowSeconds", window, detail))
    errors += one_of(selected, f"{path}.selectPolicy", ("Disabled", "Max", "Min"))
    if not policies:
        errors.append(required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(policies or ()):
        at = f"{path}.policies[{index}]"
        errors += one_of(policy.get("type") or "", f"{at}.type", ("Percent", "Pods"))
        for key in ("value", "periodSeconds"):
            if (policy.get(key) or 0) <= 0:
                errors.append(invalid(f"{at}.{key}", policy.get(key) or 0, "must be greater than zero"))
        if (policy.get("periodSeconds") or 0) > PERIOD_SECONDS_MAX:
            detail = f"must be less than or equal to {PERIOD_SECONDS_MAX}"
            errors.append(invalid(f"{at}.periodSeconds", policy["periodSeconds"], detail))
    return errors
