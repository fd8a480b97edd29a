"""Adoption and release: how pods come to a controller that selects them, and leave it again.

A pod without a controller that a selector matches is adopted; one that matches no longer is released. Both are writes
of its owner references on condition that the pod is as it was seen, so that two controllers never both get one.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from kubus.machinery.plans import Index, Patch, View, Watch
from kubus.model.kinds import Kind
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key, Object, controller_of, labels_of, metadata, name_of, namespace_of, path_of, uid_of
from kubus.model.selectors import LabelSelector
from kubus_controllers.reconcilers.pods_of import controller_reference, without_owner

SelectorOf = Callable[[Object], LabelSelector]


def selector_of(owner: Object) -> LabelSelector:
    """The selector of `spec.selector`, a LabelSelector."""
    return LabelSelector.from_object(path_of(owner, "spec", "selector"))


def _orphan(pod: Object) -> list[str]:
    return [] if controller_of(pod) else [namespace_of(pod)]


_ORPHANS = "orphans"
ORPHANS = Index(PODS, _ORPHANS, _orphan)
"""Declared by whoever adopts."""


def orphans(owner: Object, view: View, selector: LabelSelector) -> list[Object]:
    """The pods of the owner's namespace that match and have no controller."""
    return [pod for pod in view.indexed(PODS, _ORPHANS, namespace_of(owner)) if selector.matches(labels_of(pod))]


def adopt(owner: Object, pod: Object, **more: Any) -> Patch:
    """Make an owner the pod's controller; `more` goes into the metadata."""
    return _patch(pod, {"ownerReferences": _with(owner, pod), **more})


def release(owner: Object, pod: Object, **more: Any) -> Patch:
    """Take an owner from the pod; `more` goes into the metadata."""
    return _patch(pod, {"ownerReferences": without_owner(pod, uid_of(owner)), **more})


def marked(pod: Object, **meta: Any) -> Patch:
    """Write metadata of a pod that is as it was seen."""
    return _patch(pod, meta)


def _with(owner: Object, pod: Object) -> list[dict[str, Any]]:
    return [*(metadata(pod).get("ownerReferences") or ()), controller_reference(owner)]


def _patch(pod: Object, meta: dict[str, Any]) -> Patch:
    seen = {"uid": uid_of(pod), "resourceVersion": metadata(pod).get("resourceVersion")}
    return Patch(PODS, namespace_of(pod), name_of(pod), {"metadata": {**seen, **meta}})


def adopters(kind: Kind, selector: SelectorOf, pod: Object, view: View) -> list[Key]:
    """The objects of a kind that may want a pod without a controller."""
    if controller_of(pod):
        return []
    labels = labels_of(pod)
    return [
        Key(kind.collection, namespace_of(pod), name_of(each))
        for each in view.list(kind, namespace_of(pod))
        if selector(each).matches(labels)
    ]


def waking(kind: Kind, selector: SelectorOf = selector_of) -> Watch:
    """Pods without a controller wake whoever may adopt them."""
    return Watch(PODS, partial(adopters, kind, selector))
