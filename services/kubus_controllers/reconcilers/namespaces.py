"""Namespace: what is in it goes before it does.

A namespace that is being deleted turns Terminating; then all it holds is deleted: pods first, and the rest when they
are gone, so that no pod outlives the NetworkPolicies around it. When nothing is left the finalizer `kubernetes` is
removed, with which the namespace is gone. Objects that wait for finalizers of their own are named in the
conditions, as Kubernetes does, so that a stuck namespace explains itself. While an extension apiserver cannot be asked
what it keeps in the namespace, the namespace stays.

Sources: https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace, KEP-5080 (the order)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from kubus.machinery.plans import Action, Controller, Delete, Plan, SetStatus, Update, View, Watch
from kubus.model.kinds import Kind
from kubus.model.kinds.apiservices import KIND as APISERVICES
from kubus.model.kinds.namespaces import KIND as NAMESPACES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key, Object, is_deleting, metadata, name_of, namespace_of, path_of, uid_of
from kubus_controllers.reconcilers.conditions import Said, with_condition

FINALIZER = "kubernetes"
BURST = 500
"""Deletions in one plan at most."""
_DISCOVERED = Said("False", "ResourcesDiscovered", "All resources successfully discovered")
_NEVER_WRONG = {
    "NamespaceDeletionGroupVersionParsingFailure": Said(
        "False", "ParsedGroupVersions", "All legacy kube types successfully parsed"
    ),
    "NamespaceDeletionContentFailure": Said(
        "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"
    ),
}
"""What can fail in Kubernetes' controller, which finds out by requests what there is, and not in this one."""


def _deletion(kind: Kind, obj: Object) -> Action:
    """With a policy, because some kinds leave their dependents without one."""
    return Delete(kind, namespace_of(obj), name_of(obj), uid_of(obj), propagation="Background")


def reconcile(kinds: Sequence[Kind], namespace: Object, view: View, now: datetime) -> Plan:
    """Deletions of what is left; without any, the end of the namespace."""
    if not is_deleting(namespace):
        return Plan()
    every = (*kinds, *(kind for kind in view.custom_kinds() if kind.namespaced))
    left = [(kind, obj) for kind in every for obj in view.list(kind, name_of(namespace))]
    left = [(kind, obj) for kind, obj in left if kind.collection == PODS.collection] or left
    away = sorted(filter(None, map(_unavailable, view.list(APISERVICES))))
    if left or away or path_of(namespace, "status", "phase") != "Terminating":
        doomed = [(kind, obj) for kind, obj in left if not is_deleting(obj)][:BURST]
        deletions = [_deletion(kind, obj) for kind, obj in doomed]
        return Plan((*_set_status(namespace, left, away, now), *deletions))
    finalizers = path_of(namespace, "spec", "finalizers", default=[])
    if FINALIZER not in finalizers:
        return Plan()
    rest = [each for each in finalizers if each != FINALIZER]
    finalized = {**namespace, "spec": {**namespace["spec"], "finalizers": rest}}
    return Plan((Update(NAMESPACES, finalized, subresource="finalize"),))


def _unavailable(apiservice: Object) -> str:
    """The group version of an extension apiserver that cannot be asked; "" of any other."""
    conditions = path_of(apiservice, "status", "conditions", default=())
    known = any(each.get("type") == "Available" and each.get("status") == "True" for each in conditions)
    spec = apiservice["spec"]
    return f"{spec['group']}/{spec['version']}" if spec.get("service") and not known else ""


def _set_status(
    namespace: Object, left: Sequence[tuple[Kind, Object]], away: Sequence[str], now: datetime
) -> list[Action]:
    conditions: list[dict[str, Any]] = path_of(namespace, "status", "conditions", default=[])
    counts: dict[str, int] = {}
    waiting: dict[str, int] = {}
    for kind, obj in left:
        resource = f"{kind.plural}.{kind.group}"
        counts[resource] = counts.get(resource, 0) + 1
        for finalizer in metadata(obj).get("finalizers") or ():
            waiting[finalizer] = waiting.get(finalizer, 0) + 1
    failure = "NamespaceDeletionDiscoveryFailure"
    conditions = with_condition(conditions, now=now, type_=failure, said=_discovery(away))
    for type_, said in _NEVER_WRONG.items():
        conditions = with_condition(conditions, now=now, type_=type_, said=said)
    conditions = with_condition(conditions, now=now, type_="NamespaceContentRemaining", said=_remaining(counts))
    conditions = with_condition(conditions, now=now, type_="NamespaceFinalizersRemaining", said=_finalizers(waiting))
    status = {**(namespace.get("status") or {}), "phase": "Terminating", "conditions": conditions}
    if status == namespace.get("status"):
        return []
    return [SetStatus(NAMESPACES, {**namespace, "status": status})]


def _discovery(away: Sequence[str]) -> Said:
    if not away:
        return _DISCOVERED
    listed = ", ".join(f"{each}: stale GroupVersion discovery: {each}" for each in away)
    words = f"unable to retrieve the complete list of server APIs: {listed}"
    return Said("True", "DiscoveryFailed", f"Discovery failed for some groups, {len(away)} failing: {words}")


def _remaining(counts: dict[str, int]) -> Said:
    if not counts:
        return Said("False", "ContentRemoved", "All content successfully removed")
    listed = ", ".join(f"{resource} has {count} resource instances" for resource, count in sorted(counts.items()))
    return Said("True", "SomeResourcesRemain", f"Some resources are remaining: {listed}")


def _finalizers(waiting: dict[str, int]) -> Said:
    if not waiting:
        return Said("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
    listed = ", ".join(f"{finalizer} in {count} resource instances" for finalizer, count in sorted(waiting.items()))
    return Said("True", "SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {listed}")


def _wakes(obj: Object, view: View) -> list[Key]:
    """Only a namespace that waits for its end cares about what it holds."""
    namespace = view.get(NAMESPACES, "", namespace_of(obj))
    return [Key(NAMESPACES.collection, "", name_of(namespace))] if namespace and is_deleting(namespace) else []


def _wakes_all(_apiservice: Object, view: View) -> list[Key]:
    """An extension apiserver that comes or goes matters to every namespace that waits for its end."""
    doomed = [name_of(each) for each in view.list(NAMESPACES) if is_deleting(each)]
    return [Key(NAMESPACES.collection, "", name) for name in doomed]


def controller(kinds: Sequence[Kind]) -> Controller:
    """The controller over all namespaced kinds."""
    namespaced = tuple(kind for kind in kinds if kind.namespaced)
    return Controller(
        name="namespace-controller",
        reconciles=NAMESPACES,
        reconcile=partial(reconcile, namespaced),
        watches=(*(Watch(kind, _wakes) for kind in namespaced), Watch(APISERVICES, _wakes_all)),
        watches_custom=lambda kind: (Watch(kind, _wakes),) if kind.namespaced else (),
    )
