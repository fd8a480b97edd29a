"""Claims and volumes stay while they are used.

Admission gives each a finalizer. When one is deleted it is taken off as soon as no pod mounts the claim (one that has a
node and is not finished), or as soon as the volume is not bound.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
"""

from __future__ import annotations

from datetime import datetime

from kubus.machinery.plans import Controller, Patch, Plan, View, Watch
from kubus.model.kinds import Kind
from kubus.model.kinds.persistentvolumeclaims import KIND as CLAIMS
from kubus.model.kinds.persistentvolumes import KIND as VOLUMES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key, Object, is_deleting, metadata, name_of, namespace_of, path_of
from kubus.model.quota_usage import is_finished

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"


def reconcile_claim(claim: Object, view: View, _now: datetime) -> Plan:
    """Let a deleted claim go when no pod uses it."""
    if not _waits(claim, CLAIM_FINALIZER):
        return Plan()
    pods = view.list(PODS, namespace_of(claim))
    if any(_runs(pod) and name_of(claim) in claims_of(pod) for pod in pods):
        return Plan()
    return _released(CLAIMS, claim, CLAIM_FINALIZER)


def reconcile_volume(volume: Object, _view: View, _now: datetime) -> Plan:
    """Let a deleted volume go when no claim is bound to it."""
    if not _waits(volume, VOLUME_FINALIZER) or path_of(volume, "status", "phase") == "Bound":
        return Plan()
    return _released(VOLUMES, volume, VOLUME_FINALIZER)


def claims_of(pod: Object) -> set[str]:
    """The names of the claims that a pod mounts."""
    found = set()
    for volume in path_of(pod, "spec", "volumes", default=()) or ():
        if volume.get("persistentVolumeClaim"):
            found.add(volume["persistentVolumeClaim"].get("claimName") or "")
        elif volume.get("ephemeral"):
            found.add(f"{name_of(pod)}-{volume.get('name')}")
    return found


def _runs(pod: Object) -> bool:
    return bool(path_of(pod, "spec", "nodeName")) and not is_finished(pod)


def _waits(obj: Object, finalizer: str) -> bool:
    return is_deleting(obj) and finalizer in (metadata(obj).get("finalizers") or ())


def _released(kind: Kind, obj: Object, finalizer: str) -> Plan:
    left = [each for each in metadata(obj)["finalizers"] if each != finalizer]
    patch = {"metadata": {"resourceVersion": metadata(obj).get("resourceVersion"), "finalizers": left or None}}
    return Plan((Patch(kind, namespace_of(obj), name_of(obj), patch),))


def _claims_of_pod(pod: Object, _view: View) -> list[Key]:
    return [Key(CLAIMS.collection, namespace_of(pod), name) for name in sorted(claims_of(pod))]


CLAIM_CONTROLLER = Controller(
    name="pvc-protection-controller",
    reconciles=CLAIMS,
    reconcile=reconcile_claim,
    watches=(Watch(PODS, _claims_of_pod),),
)
VOLUME_CONTROLLER = Controller(name="pv-protection-controller", reconciles=VOLUMES, reconcile=reconcile_volume)
