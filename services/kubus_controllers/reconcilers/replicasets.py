"""ReplicaSet: as many pods as asked for.

Counts the pods that the set controls, adopts orphans that match its selector, lets go of pods that match no
longer, and creates or deletes the difference. Which pods go first follows Kubernetes' ranking, so that a
scale-down takes what serves least. Names of new pods are derived from the set and from how far the world had
come when the decision fell; never that of a pod that is still there, finished ones included (a creation with
such a name would be refused for ever).

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ and, for the ranking,
`ActivePodsWithRanks` in pkg/controller/controller_utils.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from kubus.machinery.plans import Action, Controller, Create, Delete, Index, Patch, Plan, Record, SetStatus, View, Watch
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICASETS
from kubus.model.objects import (
    Key,
    Object,
    annotations_of,
    controller_of,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    path_of,
    revision_of,
    uid_of,
)
from kubus.model.selectors import LabelSelector
from kubus_controllers.reconcilers.names import child_name, suffix
from kubus_controllers.reconcilers.pods_of import (
    available_in,
    controller_reference,
    is_active,
    is_controlled_by,
    is_ready,
    phase_of,
    ready_since,
    soonest,
    without_owner,
)

BURST = 500
"""Creations and deletions in one plan at most; the next plan goes on. As in Kubernetes."""
ORPHANS = "orphans"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def reconcile(replica_set: Object, view: View, now: datetime) -> Plan:
    """The pods that are missing or too many, and the status."""
    selector = LabelSelector.from_object(path_of(replica_set, "spec", "selector", default={}))
    owned = [pod for pod in view.owned(PODS, uid_of(replica_set)) if is_controlled_by(pod, uid_of(replica_set))]
    mine = [pod for pod in owned if selector.matches(labels_of(pod))]
    actions: list[Action] = []
    if not is_deleting(replica_set):
        orphans = _orphans(replica_set, selector, view)
        actions += [_adopt(replica_set, pod) for pod in orphans]
        actions += [_release(replica_set, pod) for pod in owned if not selector.matches(labels_of(pod))]
        mine += orphans
        actions += list(_resize(replica_set, mine, view))
    min_ready = path_of(replica_set, "spec", "minReadySeconds", default=0)
    waits = [available_in(pod, min_ready, now) for pod in mine if is_active(pod)]
    actions += _set_status(replica_set, mine, available=sum(wait is not None and not wait for wait in waits))
    return Plan(tuple(actions), again_after=soonest(waits))


def _orphans(replica_set: Object, selector: LabelSelector, view: View) -> list[Object]:
    return [
        pod
        for pod in view.indexed(PODS, ORPHANS, namespace_of(replica_set))
        if is_active(pod) and selector.matches(labels_of(pod))
    ]


def _adopt(replica_set: Object, pod: Object) -> Patch:
    references = [*(metadata(pod).get("ownerReferences") or ()), controller_reference(replica_set)]
    return _own(pod, references)


def _release(replica_set: Object, pod: Object) -> Patch:
    return _own(pod, without_owner(pod, uid_of(replica_set)))


def _own(pod: Object, references: list[dict[str, Any]]) -> Patch:
    meta = {"uid": uid_of(pod), "resourceVersion": metadata(pod).get("resourceVersion"), "ownerReferences": references}
    return Patch(PODS, namespace_of(pod), name_of(pod), {"metadata": meta})


def _resize(replica_set: Object, mine: Sequence[Object], view: View) -> Iterator[Action]:
    active = [pod for pod in mine if is_active(pod)]
    missing = path_of(replica_set, "spec", "replicas", default=1) - len(active)
    if missing > 0:
        taken = {name_of(pod) for pod in view.owned(PODS, uid_of(replica_set))}
        salt = max([revision_of(replica_set), *map(revision_of, mine)])
        for name in _free_names(replica_set, taken, salt, min(missing, BURST)):
            yield Create(PODS, _new_pod(replica_set, name))
            yield Record(replica_set, "SuccessfulCreate", f"Created pod: {name}")
    elif missing < 0:
        for pod in _first_to_go(active)[: min(-missing, BURST)]:
            yield Delete(PODS, namespace_of(pod), name_of(pod), uid_of(pod))
            yield Record(replica_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")


def _free_names(replica_set: Object, taken: set[str], salt: int, count: int) -> list[str]:
    names: list[str] = []
    number = 0
    while len(names) < count:
        name = child_name(name_of(replica_set), suffix(uid_of(replica_set), salt, number))
        number += 1
        if name not in taken:
            taken.add(name)
            names.append(name)
    return names


def _new_pod(replica_set: Object, name: str) -> Object:
    template = path_of(replica_set, "spec", "template", default={})
    given = metadata(template)
    meta: dict[str, Any] = {
        "name": name,
        "generateName": f"{name_of(replica_set)}-",
        "namespace": namespace_of(replica_set),
        "labels": given.get("labels") or {},
        "ownerReferences": [controller_reference(replica_set)],
    }
    for field in ("annotations", "finalizers"):
        if given.get(field):
            meta[field] = given[field]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template.get("spec") or {}}


def _first_to_go(active: Sequence[Object]) -> list[Object]:
    """Active pods, those that can best be spared first."""
    crowd = Counter(path_of(pod, "spec", "nodeName", default="") for pod in active)
    phases = {"Pending": 0, "Unknown": 1, "Running": 2}

    def rank(pod: Object) -> tuple[Any, ...]:
        node = path_of(pod, "spec", "nodeName", default="")
        since = ready_since(pod)
        restarts = max(
            (each.get("restartCount", 0) for each in path_of(pod, "status", "containerStatuses", default=())), default=0
        )
        return (
            bool(node),
            phases.get(phase_of(pod), 1),
            is_ready(pod),
            _deletion_cost(pod),
            -crowd[node],
            -since.timestamp() if since else 0.0,
            -restarts,
            _reversed(metadata(pod).get("creationTimestamp") or ""),
            name_of(pod),
        )

    return sorted(active, key=rank)


def _reversed(text: str) -> tuple[int, ...]:
    """A sort key that puts later texts first."""
    return tuple(-ord(char) for char in text)


def _deletion_cost(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def _set_status(replica_set: Object, mine: Sequence[Object], available: int) -> list[Action]:
    active = [pod for pod in mine if is_active(pod)]
    wanted = labels_of(path_of(replica_set, "spec", "template", default={}))
    counts = {
        "replicas": len(active),
        "fullyLabeledReplicas": sum(wanted.items() <= labels_of(pod).items() for pod in active),
        "readyReplicas": sum(map(is_ready, active)),
        "availableReplicas": available,
        "terminatingReplicas": sum(is_deleting(pod) and phase_of(pod) not in ("Succeeded", "Failed") for pod in mine),
        "observedGeneration": metadata(replica_set).get("generation", 0),
    }
    old = replica_set.get("status") or {}
    status = {field: value for field, value in counts.items() if value or field == "replicas"}
    if old.get("conditions"):
        status["conditions"] = old["conditions"]
    if status == {**old, "replicas": old.get("replicas")}:
        return []
    return [SetStatus(REPLICASETS, {**replica_set, "status": status})]


def _orphans_of(pod: Object) -> list[str]:
    return [] if controller_of(pod) else [namespace_of(pod)]


def _adopters(pod: Object, view: View) -> list[Key]:
    """Sets that may want a pod without a controller."""
    if controller_of(pod):
        return []
    labels = labels_of(pod)
    return [
        Key(REPLICASETS.collection, namespace_of(pod), name_of(each))
        for each in view.list(REPLICASETS, namespace_of(pod))
        if LabelSelector.from_object(path_of(each, "spec", "selector", default={})).matches(labels)
    ]


CONTROLLER = Controller(
    name="replicaset-controller",
    reconciles=REPLICASETS,
    reconcile=reconcile,
    owns=(PODS,),
    watches=(Watch(PODS, _adopters),),
    indexes=(Index(PODS, ORPHANS, _orphans_of),),
)
