"""Small plug-ins about the cluster's own objects: namespaces, nodes, classes of storage, volumes.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from fractions import Fraction

from kubus.model.kinds.storageclasses import DEFAULT_CLASS
from kubus.model.objects import Key, Object, annotations_of, name_of, path_of
from kubus.model.resource_totals import amounts
from kubus_apiserver.admission import Proposal
from kubus_apiserver.reading.watchcache import WatchCache

_OWN_NAMESPACES = ("default", "kube-system", "kube-public")
_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
_STORAGE_CLASSES, _INGRESS_CLASSES = "storageclasses.storage.k8s.io", "ingressclasses.networking.k8s.io"
_DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"
_CLAIMS = "persistentvolumeclaims.core"
_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
_IN_USE = {
    _CLAIMS: "kubernetes.io/pvc-protection",
    "persistentvolumes.core": "kubernetes.io/pv-protection",
}


def namespace_protection(proposal: Proposal, _cache: WatchCache) -> None:
    """The cluster's own namespaces stay.

    Raises:
        StatusError: 403.
    """
    if proposal.verb != "delete" or proposal.kind.collection != "namespaces.core":
        return
    if proposal.name in _OWN_NAMESPACES:
        raise proposal.refused("this namespace may not be deleted")


def not_ready_taint(proposal: Proposal, _cache: WatchCache) -> None:
    """A new node gets no pods before it is ready: TaintNodesByCondition."""
    if proposal.is_new("nodes.core"):
        spec = proposal.object.setdefault("spec", {})
        taints = spec.get("taints") or []
        if not any(_NOT_READY.items() <= each.items() for each in taints):
            spec["taints"] = [*taints, dict(_NOT_READY)]


def in_use_protection(proposal: Proposal, _cache: WatchCache) -> None:
    """Volumes and claims stay while they are used: StorageObjectInUseProtection."""
    finalizer = _IN_USE.get(proposal.kind.collection)
    if finalizer is None or proposal.verb != "create" or proposal.subresource:
        return
    metadata = proposal.object["metadata"]
    if finalizer not in (metadata.get("finalizers") or ()):
        metadata["finalizers"] = [*(metadata.get("finalizers") or ()), finalizer]


def default_storage_class(proposal: Proposal, cache: WatchCache) -> None:
    """A claim that says nothing of a class gets the default one, the newest if there are several."""
    if not proposal.is_new(_CLAIMS):
        return
    spec = proposal.object.get("spec")
    if not isinstance(spec, dict) or spec.get("storageClassName") is not None:
        return
    if _CLASS_ANNOTATION in annotations_of(proposal.object):
        return
    found = _default_class(cache, _STORAGE_CLASSES, DEFAULT_CLASS)
    if found is not None:
        spec["storageClassName"] = found["metadata"]["name"]


def default_ingress_class(proposal: Proposal, cache: WatchCache) -> None:
    """An ingress that says nothing of a class gets the default one, the newest if there are several."""
    if not proposal.is_new("ingresses.networking.k8s.io"):
        return
    spec = proposal.object.get("spec")
    if not isinstance(spec, dict) or spec.get("ingressClassName") is not None:
        return
    if "kubernetes.io/ingress.class" in annotations_of(proposal.object):
        return
    found = _default_class(cache, _INGRESS_CLASSES, _DEFAULT_INGRESS_CLASS)
    if found is not None:
        spec["ingressClassName"] = found["metadata"]["name"]


def _default_class(cache: WatchCache, collection: str, annotation: str) -> Object | None:
    classes = cache.collection(collection)
    if not classes.entries:
        return None
    marked = [each.object for each in classes.select() if annotations_of(each.object).get(annotation) == "true"]
    newest = max((_age(each) for each in marked), default="")
    return min((each for each in marked if _age(each) == newest), key=name_of, default=None)


def _age(obj: Object) -> str:
    created: str = obj["metadata"].get("creationTimestamp") or ""
    return created


def claim_growth(proposal: Proposal, cache: WatchCache) -> None:
    """Only a bound claim grows, and only if its class allows it: PersistentVolumeClaimResize.

    Raises:
        StatusError: 403.
    """
    old = proposal.old
    if old is None or proposal.verb != "update" or proposal.subresource or proposal.kind.collection != _CLAIMS:
        return
    if _size(proposal.object) <= _size(old):
        return
    if path_of(old, "status", "phase") != "Bound":
        raise proposal.refused("Only bound persistent volume claims can be expanded")
    name = _class_of(proposal.object)
    entry = cache.get(Key(_STORAGE_CLASSES, "", name)) if name and name == _class_of(old) else None
    if entry is None or not entry.object.get("allowVolumeExpansion"):
        raise proposal.refused(
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support "
            "resize"
        )


def _size(claim: Object) -> Fraction:
    return amounts(path_of(claim, "spec", "resources", "requests")).get("storage", Fraction(0))


def _class_of(claim: Object) -> str:
    found: str = annotations_of(claim).get(_CLASS_ANNOTATION) or path_of(claim, "spec", "storageClassName") or ""
    return found
