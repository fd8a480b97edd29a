"""ReplicaSet: as many pods as asked for.

Counts the pods that the set controls, adopts orphans that match its selector, lets go of pods that match no
longer, and creates or deletes the difference. Which pods go first follows Kubernetes' ranking, so that a
scale-down takes what serves least. Names of new pods are derived from the set and from how far the world had
come when the decision fell; never that of a pod that is still there, finished ones included (a creation with
such a name would be refused for ever).

A ReplicationController is the same with a plainer selector. Where pods are refused (a quota), the set says so in its
condition ReplicaFailure until that has an end.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ and, for the ranking,
`ActivePodsWithRanks` in pkg/controller/controller_utils.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from kubus.machinery.plans import Action, Controller, Create, Delete, Plan, Record, SetStatus, View
from kubus.model.kinds import Kind
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.kinds.replicasets import KIND as REPLICASETS
from kubus.model.kinds.replicationcontrollers import KIND as REPLICATION_CONTROLLERS
from kubus.model.objects import (
    Object,
    annotations_of,
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
from kubus_controllers.reconcilers.adoption import ORPHANS, SelectorOf, adopt, orphans, release, selector_of, waking
from kubus_controllers.reconcilers.conditions import Said, with_condition
from kubus_controllers.reconcilers.names import child_name, suffix
from kubus_controllers.reconcilers.pods_of import (
    available_in,
    condition_of,
    controller_reference,
    is_active,
    is_controlled_by,
    is_finished,
    is_ready,
    phase_of,
    ready_since,
    soonest,
)

BURST = 500
"""Creations and deletions in one plan at most; the next plan goes on. As in Kubernetes."""
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
FAILURE = "ReplicaFailure"


class Sort(NamedTuple):
    """A kind of sets of replicas."""

    kind: Kind
    selector: SelectorOf
    counts_terminating: bool = False


def reconcile(sort: Sort, replica_set: Object, view: View, now: datetime) -> Plan:
    """The pods that are missing or too many, and the status."""
    selector = sort.selector(replica_set)
    owned = [pod for pod in view.owned(PODS, uid_of(replica_set)) if is_controlled_by(pod, uid_of(replica_set))]
    mine = [pod for pod in owned if selector.matches(labels_of(pod))]
    actions: list[Action] = []
    if not is_deleting(replica_set):
        found = [pod for pod in orphans(replica_set, view, selector) if is_active(pod)]
        actions += [adopt(sort.kind, replica_set, pod) for pod in found]
        actions += [release(replica_set, pod) for pod in owned if not selector.matches(labels_of(pod))]
        mine += found
        actions += list(_resize(replica_set, mine, view))
    min_ready = path_of(replica_set, "spec", "minReadySeconds", default=0)
    waits = [available_in(pod, min_ready, now) for pod in mine if is_active(pod)]
    status = _status(sort, replica_set, mine, available=sum(wait is not None and not wait for wait in waits))
    refused = None
    if any(isinstance(action, Create) for action in actions):
        refused = partial(_refused, sort, replica_set, status, now)
    if not _is_same(replica_set, status):
        actions.append(SetStatus(sort.kind, {**replica_set, "status": status}))
    return Plan(tuple(actions), again_after=soonest(waits), refused=refused)


def _refused(sort: Sort, replica_set: Object, status: Object, now: datetime, words: str) -> SetStatus | None:
    """The set with the condition that says why it lacks pods; None if it says so already."""
    before = condition_of(replica_set, FAILURE)
    if before is not None:
        conditions = [*(status.get("conditions") or ()), before]
    else:
        said = Said("True", "FailedCreate", words)
        conditions = with_condition(status.get("conditions") or (), type_=FAILURE, said=said, now=now)
    status = {**status, "conditions": conditions}
    return None if _is_same(replica_set, status) else SetStatus(sort.kind, {**replica_set, "status": status})


def _is_same(replica_set: Object, status: Object) -> bool:
    old = replica_set.get("status") or {}
    return bool(status == {**old, "replicas": old.get("replicas")})


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


def _status(sort: Sort, replica_set: Object, mine: Sequence[Object], available: int) -> Object:
    active = [pod for pod in mine if is_active(pod)]
    wanted = labels_of(path_of(replica_set, "spec", "template", default={}))
    counts = {
        "replicas": len(active),
        "fullyLabeledReplicas": sum(wanted.items() <= labels_of(pod).items() for pod in active),
        "readyReplicas": sum(map(is_ready, active)),
        "availableReplicas": available,
        "observedGeneration": metadata(replica_set).get("generation", 0),
    }
    if sort.counts_terminating:
        counts["terminatingReplicas"] = sum(is_deleting(pod) and not is_finished(pod) for pod in mine)
    old = replica_set.get("status") or {}
    status = {field: value for field, value in counts.items() if value or field == "replicas"}
    if conditions := [each for each in old.get("conditions") or () if each.get("type") != FAILURE]:
        status["conditions"] = conditions
    return status


def _controller(name: str, sort: Sort) -> Controller:
    return Controller(
        name=name,
        reconciles=sort.kind,
        reconcile=partial(reconcile, sort),
        owns=(PODS,),
        watches=(waking(sort.kind, sort.selector),),
        indexes=(ORPHANS,),
    )


def _plain_selector(obj: Object) -> LabelSelector:
    return LabelSelector.from_map(path_of(obj, "spec", "selector", default={}))


CONTROLLER = _controller("replicaset-controller", Sort(REPLICASETS, selector_of, counts_terminating=True))
REPLICATION = _controller("replication-controller", Sort(REPLICATION_CONTROLLERS, _plain_selector))
