"""ReplicaSets."""

from __future__ import annotations

from kubus.model.cells import REPLICA_COUNTS, SELECTOR
from kubus.model.defaults.pod_spec import set_template_defaults
from kubus.model.kinds import Kind, Scale
from kubus.model.objects import Object
from kubus.model.validation.workloads import replica_set_errors


def set_defaults(obj: Object) -> None:
    """One replica."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    set_template_defaults(spec)


KIND = Kind(
    group="apps",
    version="v1",
    name="ReplicaSet",
    plural="replicasets",
    namespaced=True,
    schema="io.k8s.api.apps.v1.ReplicaSet",
    short_names=("rs",),
    categories=("all",),
    status=True,
    scale=Scale(),
    generation=True,
    defaults=set_defaults,
    rules=(replica_set_errors,),
    columns=(
        *REPLICA_COUNTS,
        SELECTOR,
    ),
    fields={"status.replicas": lambda obj: str((obj.get("status") or {}).get("replicas", 0))},
)
