"""DaemonSets."""

from __future__ import annotations

from kubus.model.cells import AGE, CONTAINERS, IMAGES, NAME, SELECTOR, labels_text, number, plain
from kubus.model.defaults.pod_spec import set_template_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.workloads import daemon_set_errors


def set_defaults(obj: Object) -> None:
    """Rolling update, one node at a time; ten revisions."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    set_template_defaults(spec)


KIND = Kind(
    group="apps",
    version="v1",
    name="DaemonSet",
    plural="daemonsets",
    namespaced=True,
    schema="io.k8s.api.apps.v1.DaemonSet",
    short_names=("ds",),
    categories=("all",),
    status=True,
    generation=True,
    defaults=set_defaults,
    rules=(daemon_set_errors,),
    columns=(
        NAME,
        Column(
            "Desired",
            number("status", "desiredNumberScheduled"),
            "integer",
            description="Nodes that should run the pod.",
        ),
        Column("Current", number("status", "currentNumberScheduled"), "integer", description="Nodes that run it."),
        Column("Ready", number("status", "numberReady"), "integer", description="Nodes where it is ready."),
        Column(
            "Up-to-date",
            number("status", "updatedNumberScheduled"),
            "integer",
            description="Nodes with the newest template.",
        ),
        Column(
            "Available",
            number("status", "numberAvailable"),
            "integer",
            description="Nodes where it is ready for long enough.",
        ),
        Column(
            "Node Selector",
            plain(lambda obj: labels_text(path_of(obj, "spec", "template", "spec", "nodeSelector"))),
            description="Labels of the nodes it is meant for.",
        ),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ),
)
