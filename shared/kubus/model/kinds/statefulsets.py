"""StatefulSets."""

from __future__ import annotations

from kubus.model.cells import AGE, CONTAINERS, IMAGES, NAME, plain
from kubus.model.defaults.pod_spec import set_template_defaults
from kubus.model.defaults.storage import set_claim_defaults
from kubus.model.kinds import Column, Kind, Scale
from kubus.model.objects import Object, path_of
from kubus.model.validation.workloads import stateful_set_errors


def set_defaults(obj: Object) -> None:
    """One replica; in order; rolling update of all; ten revisions; claims outlive it."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec["podManagementPolicy"] = spec.get("podManagementPolicy") or "OrderedReady"
    strategy = spec.setdefault("updateStrategy", {})
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention["whenDeleted"] = retention.get("whenDeleted") or "Retain"
    retention["whenScaled"] = retention.get("whenScaled") or "Retain"
    for claim in spec.get("volumeClaimTemplates") or ():
        claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"
        set_claim_defaults(claim)
        claim.setdefault("status", {"phase": "Pending"})
    set_template_defaults(spec)


def _ready(obj: Object) -> str:
    return f"{path_of(obj, 'status', 'readyReplicas', default=0)}/{path_of(obj, 'spec', 'replicas', default=0)}"


KIND = Kind(
    group="apps",
    version="v1",
    name="StatefulSet",
    plural="statefulsets",
    namespaced=True,
    schema="io.k8s.api.apps.v1.StatefulSet",
    short_names=("sts",),
    categories=("all",),
    status=True,
    scale=Scale(),
    generation=True,
    defaults=set_defaults,
    rules=(stateful_set_errors,),
    columns=(
        NAME,
        Column("Ready", plain(_ready), description="Pods that are ready, of those wanted."),
        AGE,
        CONTAINERS,
        IMAGES,
    ),
)
