"""Node lifecycle: from silence to taints.

A node lives as long as its Lease is renewed. How long it has been silent is measured by when *this* process saw the
last renewal, not by the times written in it: a clock that is an hour off evicts nobody. A silent node's conditions turn
Unknown, its pods are marked not ready (so that Services leave them out), and its taints follow the conditions; what
the taints do to pods is decided in `evictions`.

Source: https://kubernetes.io/docs/concepts/architecture/nodes/ and .../scheduling-eviction/taint-and-toleration/
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from kubus.machinery.plans import Action, Controller, Index, Patch, Plan, Record, SetStatus, View, Watch
from kubus.model.kinds.leases import KIND as LEASES
from kubus.model.kinds.nodes import KIND as NODES
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import Key, Object, metadata, name_of, namespace_of, path_of
from kubus.model.times import rfc3339
from kubus_controllers.reconcilers.conditions import Said, with_condition
from kubus_controllers.reconcilers.pods_of import condition_of, is_finished, is_ready

LEASE_NAMESPACE = "kube-node-lease"
BY_NODE = "node"
CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
PRESSURE_TAINTS = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
MANAGED = frozenset({NOT_READY, UNREACHABLE, UNSCHEDULABLE, *PRESSURE_TAINTS.values()})


def reconcile(grace: timedelta, node: Object, view: View, now: datetime) -> Plan:
    """Conditions, taints, and the readiness of the node's pods."""
    quiet = view.quiet_for(LEASES, LEASE_NAMESPACE, name_of(node))
    if quiet is None:
        quiet = view.quiet_for(NODES, "", name_of(node)) or timedelta(0)
    if quiet < grace:
        return Plan(tuple(_taint(node, now)), again_after=grace - quiet + timedelta(milliseconds=100))
    silenced = _silenced(node, now)
    if silenced is not node:
        event = Record(node, "NodeNotReady", f"Node {name_of(node)} status is now: NodeNotReady")
        return Plan((SetStatus(NODES, silenced), event))
    return Plan((*_taint(node, now), *_mark_pods(node, view, now)))


def _silenced(node: Object, now: datetime) -> Object:
    """The node with its conditions Unknown; the very same object if they are already."""
    conditions = path_of(node, "status", "conditions", default=[])
    after = conditions
    for type_ in CONDITIONS:
        before = condition_of(node, type_)
        if before is not None and before.get("status") == "Unknown":
            continue
        if before is None:
            said = Said("Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status.")
        else:
            said = Said("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
        after = with_condition(after, type_=type_, said=said, now=now)
    if after is conditions:
        return node
    return {**node, "status": {**(node.get("status") or {}), "conditions": after}}


def wanted_taints(node: Object) -> list[tuple[str, str]]:
    """(key, effect) of the taints that the node's conditions and spec call for."""
    ready = condition_of(node, "Ready")
    state = ready.get("status") if ready else "False"
    taints = []
    if state != "True":
        key = UNREACHABLE if state == "Unknown" else NOT_READY
        taints += [(key, "NoSchedule"), (key, "NoExecute")]
    for type_, key in PRESSURE_TAINTS.items():
        condition = condition_of(node, type_)
        if condition is not None and condition.get("status") == "True":
            taints.append((key, "NoSchedule"))
    if path_of(node, "spec", "unschedulable", default=False):
        taints.append((UNSCHEDULABLE, "NoSchedule"))
    return taints


def _taint(node: Object, now: datetime) -> list[Action]:
    before: list[dict[str, Any]] = path_of(node, "spec", "taints", default=[])
    wanted = wanted_taints(node)
    kept = [taint for taint in before if taint["key"] not in MANAGED or (taint["key"], taint["effect"]) in wanted]
    there = {(taint["key"], taint["effect"]) for taint in kept}
    added = [
        {"key": key, "effect": effect, "timeAdded": rfc3339(now)}
        for key, effect in wanted
        if (key, effect) not in there
    ]
    after = kept + added
    if after == before:
        return []
    patch = {"metadata": {"resourceVersion": metadata(node).get("resourceVersion")}, "spec": {"taints": after or None}}
    return [Patch(NODES, "", name_of(node), patch)]


def _mark_pods(node: Object, view: View, now: datetime) -> list[Action]:
    actions: list[Action] = []
    for pod in view.indexed(PODS, BY_NODE, name_of(node)):
        if is_finished(pod) or not is_ready(pod):
            continue
        conditions = with_condition(
            path_of(pod, "status", "conditions", default=[]),
            type_="Ready",
            said=Said("False", "NodeNotReady", "Node is not ready"),
            now=now,
        )
        actions.append(SetStatus(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}}))
    return actions


def node_of(pod: Object) -> list[str]:
    """The node a pod is bound to."""
    node = path_of(pod, "spec", "nodeName")
    return [node] if node else []


def _node_of_lease(lease: Object, view: View) -> list[Key]:
    return [Key(NODES.collection, "", name_of(lease))] if namespace_of(lease) == LEASE_NAMESPACE else []


def controller(grace_seconds: float) -> Controller:
    """The controller; a node counts as lost after this long a silence."""
    return Controller(
        name="node-controller",
        reconciles=NODES,
        reconcile=partial(reconcile, timedelta(seconds=grace_seconds)),
        watches=(Watch(LEASES, _node_of_lease),),
        reads=(PODS,),
        indexes=(Index(PODS, BY_NODE, node_of),),
    )
