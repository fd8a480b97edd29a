"""Deployments."""

from __future__ import annotations

from kubus.model.cells import AGE, CONTAINERS, IMAGES, NAME, SELECTOR, number, plain
from kubus.model.defaults.pod_spec import set_template_defaults
from kubus.model.kinds import Column, Kind, Scale
from kubus.model.objects import Object, path_of
from kubus.model.validation.workloads import deployment_errors


def set_defaults(obj: Object) -> None:
    """One replica, rolling update by a quarter, ten revisions, ten minutes to make progress."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    set_template_defaults(spec)


def _ready(obj: Object) -> str:
    return f"{path_of(obj, 'status', 'readyReplicas', default=0)}/{path_of(obj, 'spec', 'replicas', default=0)}"


KIND = Kind(
    group="apps",
    version="v1",
    name="Deployment",
    plural="deployments",
    namespaced=True,
    schema="io.k8s.api.apps.v1.Deployment",
    short_names=("deploy",),
    categories=("all",),
    status=True,
    scale=Scale(),
    generation=True,
    defaults=set_defaults,
    rules=(deployment_errors,),
    columns=(
        NAME,
        Column(
            "Ready",
            plain(_ready),
            description="Pods that are ready, of those wanted.",
        ),
        Column("Up-to-date", number("status", "updatedReplicas"), description="Pods of the newest template."),
        Column("Available", number("status", "availableReplicas"), description="Pods ready for long enough."),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
)
