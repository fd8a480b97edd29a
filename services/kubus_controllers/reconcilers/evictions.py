"""Pods that cannot stay: those on a node with a NoExecute taint they do not tolerate, and those whose node is gone.

A toleration for some seconds counts from the taint's `timeAdded`. Clients such as `kubectl taint` leave that out; where
a pod's stay depends on it, it is written here, so that the time is the same for all pods and outlives this process.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from kubus.machinery.plans import CollectGarbage, Controller, Delete, Index, Patch, Plan, Record, SetStatus, View, Watch
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key, Object, is_deleting, metadata, name_of, namespace_of, path_of, uid_of
from kubus.model.taints import Taint, Toleration, taint_of, tolerations_of
from kubus.model.times import parse_time, rfc3339
from kubus_controllers.reconcilers.conditions import Said, with_condition
from kubus_controllers.reconcilers.nodes import BY_NODE, node_of
from kubus_controllers.reconcilers.pods_of import is_finished

FOR_EVER = timedelta.max
_NOT_ITS_FAULT = Said("True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")


def reconcile(pod: Object, view: View, now: datetime) -> Plan:
    """The pod's deletion, or when it is due."""
    name = path_of(pod, "spec", "nodeName")
    if not name:
        return Plan()
    node = view.get(NODES, "", name)
    if node is None:
        gone = ((NODES, "", name, ""),)
        return Plan((CollectGarbage(PODS, namespace_of(pod), name_of(pod), uid_of(pod), gone, grace_period_seconds=0),))
    if is_deleting(pod) or is_finished(pod):
        return Plan()
    left = _time_left(pod, node, now)
    if left == FOR_EVER:
        return Plan()
    if left > timedelta(0):
        return Plan(tuple(_date_taints(node, now)), again_after=left)
    message = f"Marking for deletion Pod {namespace_of(pod)}/{name_of(pod)}"
    ending = Delete(PODS, namespace_of(pod), name_of(pod), uid_of(pod))
    return Plan((*_told(pod, now), ending, Record(pod, "TaintManagerEviction", message)))


def _date_taints(node: Object, now: datetime) -> list[Patch]:
    """Write `timeAdded` into the node's NoExecute taints that lack it, on condition that the node is as it was seen."""
    taints: list[dict[str, Any]] = path_of(node, "spec", "taints", default=[])
    dated = [
        {**each, "timeAdded": rfc3339(now)} if each.get("effect") == "NoExecute" and not each.get("timeAdded") else each
        for each in taints
    ]
    if dated == taints:
        return []
    seen = {"uid": uid_of(node), "resourceVersion": metadata(node).get("resourceVersion")}
    return [Patch(NODES, "", name_of(node), {"metadata": seen, "spec": {"taints": dated}})]


def _told(pod: Object, now: datetime) -> list[SetStatus]:
    """What tells the pod, and whoever counts failures, that it was not its own fault."""
    conditions = path_of(pod, "status", "conditions", default=())
    after = with_condition(conditions, type_="DisruptionTarget", said=_NOT_ITS_FAULT, now=now)
    status = {**(pod.get("status") or {}), "conditions": after}
    return [SetStatus(PODS, {**pod, "status": status})] if status != pod.get("status") else []


def _time_left(pod: Object, node: Object, now: datetime) -> timedelta:
    """How long the pod may stay: of all NoExecute taints the shortest."""
    left = FOR_EVER
    for each in path_of(node, "spec", "taints", default=()):
        taint = taint_of(each)
        seconds = _tolerated_seconds(taint, tolerations_of(pod["spec"])) if taint.effect == "NoExecute" else None
        if seconds is None:
            continue
        since = parse_time(each["timeAdded"]) if each.get("timeAdded") else now
        left = min(left, since + timedelta(seconds=seconds) - now)
    return left


def _tolerated_seconds(taint: Taint, tolerations: Iterable[Toleration]) -> float | None:
    """How long the pod tolerates a taint: None for ever, 0 not at all; of several tolerations the shortest counts."""
    limits = [each.seconds for each in tolerations if each.tolerates(taint)]
    if not limits:
        return 0.0
    finite = [max(float(limit), 0.0) for limit in limits if limit is not None]
    return min(finite) if finite else None


def _pods_on(node: Object, view: View) -> list[Key]:
    """The node's pods, if they may have to go."""
    here = view.get(NODES, "", name_of(node))
    taints = path_of(here, "spec", "taints", default=()) if here else ()
    if here is not None and not any(taint.get("effect") == "NoExecute" for taint in taints):
        return []
    return [Key(PODS.collection, namespace_of(pod), name_of(pod)) for pod in view.indexed(PODS, BY_NODE, name_of(node))]


CONTROLLER = Controller(
    name="taint-eviction-controller",
    reconciles=PODS,
    reconcile=reconcile,
    watches=(Watch(NODES, _pods_on),),
    indexes=(Index(PODS, BY_NODE, node_of),),
)
