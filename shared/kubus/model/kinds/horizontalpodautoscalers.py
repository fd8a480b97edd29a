"""HorizontalPodAutoscalers, autoscaling/v2: the version that is stored."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kubus.model.cells import AGE, NAME, NONE, UNKNOWN, UNSET, number, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.autoscalers import autoscaler_errors

SHOWN = 2
CPU_PERCENT = 80
_BEHAVIOR: Object = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    },
    "scaleDown": {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]},
}
"""What each direction is completed with, once anything is said of one."""


def set_defaults(obj: Object) -> None:
    """At least one pod; 80 % of the CPU that was requested."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": CPU_PERCENT}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        for direction, rules in _BEHAVIOR.items():
            given = behavior.get(direction) or {}
            behavior[direction] = {**deepcopy(rules), **{key: each for key, each in given.items() if each is not None}}


def _source(metric: Any) -> Object:
    """What a metric of whatever type holds: `resource`, `pods`, `object` and so on."""
    kind = metric.get("type") or ""
    return metric.get(kind[:1].lower() + kind[1:]) or {}


def _metric(spec: Object, status: Object) -> str:
    source, current = _source(spec), _source(status).get("current") or {}
    target = source.get("target") or {}
    if spec.get("type") in ("Resource", "ContainerResource"):
        if "averageValue" in target:
            return f"{source.get('name', '')}: {current.get('averageValue', UNKNOWN)}/{target['averageValue']}"
        used, wanted = current.get("averageUtilization"), target.get("averageUtilization")
        now, goal = (UNKNOWN if used is None else f"{used}%"), ("<auto>" if wanted is None else f"{wanted}%")
        return f"{source.get('name', '')}: {now}/{goal}"
    if "averageValue" in target:
        suffix = "" if spec.get("type") == "Pods" else " (avg)"
        return f"{current.get('averageValue', UNKNOWN)}/{target['averageValue']}{suffix}"
    return f"{current.get('value', UNKNOWN)}/{target.get('value', '')}"


def _targets(obj: Object) -> str:
    metrics = path_of(obj, "spec", "metrics", default=())
    statuses = path_of(obj, "status", "currentMetrics", default=())
    shown = [_metric(each, statuses[index] if index < len(statuses) else {}) for index, each in enumerate(metrics)]
    more = f" + {len(shown) - SHOWN} more..." if len(shown) > SHOWN else ""
    return ", ".join(shown[:SHOWN]) + more or NONE


def _reference(obj: Object) -> str:
    target = path_of(obj, "spec", "scaleTargetRef", default={})
    return f"{target.get('kind', '')}/{target.get('name', '')}"


KIND = Kind(
    group="autoscaling",
    version="v2",
    name="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    namespaced=True,
    schema="io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    short_names=("hpa",),
    categories=("all",),
    status=True,
    defaults=set_defaults,
    rules=(autoscaler_errors,),
    columns=(
        NAME,
        Column("Reference", plain(_reference), description="What it scales."),
        Column("Targets", plain(_targets), description="Where its metrics are and should be."),
        Column(
            "MinPods",
            plain(lambda obj: str(path_of(obj, "spec", "minReplicas", default=UNSET))),
            description="Pods at least.",
        ),
        Column("MaxPods", number("spec", "maxReplicas"), description="Pods at most."),
        Column("Replicas", number("status", "currentReplicas"), description="Pods there are."),
        AGE,
    ),
)
