"""Adoption and release: how dependents come to a controller that selects them, and leave it again.

An object without a controller that a selector matches is adopted (pods by their workloads, ReplicaSets by Deployments);
one that matches no longer is released. Both are writes of its owner references on condition that the object is as it
was seen, so that two controllers never both get one. An owner that is being deleted adopts nothing.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#non-template-pod-acquisitions
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from kubus.machinery.plans import Adopt, Index, Patch, View, Watch
from kubus.model.kinds import Kind
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import (
    Key,
    Object,
    controller_of,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    uid_of,
)
from kubus.model.selectors import LabelSelector
from kubus_controllers.reconcilers.pods_of import controller_reference, without_owner

SelectorOf = Callable[[Object], LabelSelector]


def selector_of(owner: Object) -> LabelSelector:
    """The selector of `spec.selector`, a LabelSelector."""
    return LabelSelector.from_object(path_of(owner, "spec", "selector"))


def _namespace_if_orphan(obj: Object) -> list[str]:
    return [] if controller_of(obj) else [namespace_of(obj)]


_ORPHANS = "orphans"


def orphans_index(kind: Kind) -> Index:
    """The index of a kind's objects without a controller, by namespace; declared by controllers that adopt them."""
    return Index(kind, _ORPHANS, _namespace_if_orphan)


ORPHANS = orphans_index(PODS)


def orphans(owner: Object, view: View, selector: LabelSelector, kind: Kind = PODS) -> list[Object]:
    """The objects of a kind that the owner may adopt: in its namespace, matching and without a controller."""
    if is_deleting(owner):
        return []
    found = view.indexed(kind, _ORPHANS, namespace_of(owner))
    return [obj for obj in found if selector.matches(labels_of(obj))]


def adopt(owner_kind: Kind, owner: Object, orphan: Object, kind: Kind = PODS, **more: Any) -> Adopt:
    """Make an owner the controller of an object of a kind; `more` goes into the metadata."""
    references = [*(metadata(orphan).get("ownerReferences") or ()), controller_reference(owner)]
    identity = (owner_kind, namespace_of(owner), name_of(owner), uid_of(owner))
    return Adopt(identity, _patch(kind, orphan, {"ownerReferences": references, **more}))


def release(owner: Object, dependent: Object, kind: Kind = PODS, **more: Any) -> Patch:
    """Remove an owner's reference from an object of a kind; `more` goes into the metadata."""
    return _patch(kind, dependent, {"ownerReferences": without_owner(dependent, uid_of(owner)), **more})


def marked(pod: Object, **meta: Any) -> Patch:
    """Write metadata of a pod that is as it was seen."""
    return _patch(PODS, pod, meta)


def _patch(kind: Kind, obj: Object, meta: dict[str, Any]) -> Patch:
    seen = {"uid": uid_of(obj), "resourceVersion": metadata(obj).get("resourceVersion")}
    return Patch(kind, namespace_of(obj), name_of(obj), {"metadata": {**seen, **meta}})


def adopters(owner_kind: Kind, selector: SelectorOf, orphan: Object, view: View) -> list[Key]:
    """The objects of a kind whose selector matches an object without a controller."""
    if controller_of(orphan):
        return []
    labels = labels_of(orphan)
    return [
        Key(owner_kind.collection, namespace_of(orphan), name_of(each))
        for each in view.list(owner_kind, namespace_of(orphan))
        if selector(each).matches(labels)
    ]


def waking(owner_kind: Kind, selector: SelectorOf = selector_of, kind: Kind = PODS) -> Watch:
    """A watch by which objects without a controller wake the owners that may adopt them."""
    return Watch(kind, partial(adopters, owner_kind, selector))
