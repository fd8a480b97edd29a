"""ReplicationControllers."""

from __future__ import annotations

from kubus.model.cells import REPLICA_COUNTS, labels_text, plain
from kubus.model.defaults.pod_spec import set_template_defaults
from kubus.model.kinds import Column, Kind, Scale
from kubus.model.objects import Object, path_of
from kubus.model.validation.workloads import replication_controller_errors


def set_defaults(obj: Object) -> None:
    """One replica; selector and labels are those of the template."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    labels = path_of(spec, "template", "metadata", "labels")
    if labels:
        spec["selector"] = spec.get("selector") or dict(labels)
        meta = obj.setdefault("metadata", {})
        meta["labels"] = meta.get("labels") or dict(labels)
    if spec.get("template") is not None:
        set_template_defaults(spec)


KIND = Kind(
    group="",
    version="v1",
    name="ReplicationController",
    plural="replicationcontrollers",
    namespaced=True,
    schema="io.k8s.api.core.v1.ReplicationController",
    short_names=("rc",),
    categories=("all",),
    status=True,
    scale=Scale(),
    generation=True,
    orphans=True,
    defaults=set_defaults,
    rules=(replication_controller_errors,),
    columns=(
        *REPLICA_COUNTS,
        Column(
            "Selector",
            plain(lambda obj: labels_text(path_of(obj, "spec", "selector"))),
            priority=1,
            description="Labels of the pods it owns.",
        ),
    ),
    fields={"status.replicas": lambda obj: str(path_of(obj, "status", "replicas", default=0))},
)
