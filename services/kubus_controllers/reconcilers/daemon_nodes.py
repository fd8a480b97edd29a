"""On which nodes a DaemonSet's pod runs, and the pod for a node. Pure.

A node gets a pod if it fulfils the template's node selector and affinity and has no taint that the pod does not
tolerate; one that is there stays until a NoExecute taint drives it out. The pod is bound to its node by an affinity
to the node's name, and placed by the scheduler like any other.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kubus.model.kinds.pods import KIND as PODS
from kubus.model.node_selectors import required_nodes
from kubus.model.objects import Object, labels_of, metadata, name_of, namespace_of, path_of
from kubus.model.taints import UNSCHEDULABLE, taint_of, tolerations_of, untolerated
from kubus_controllers.reconcilers.pods_of import controller_reference
from kubus_controllers.reconcilers.revisions import HASH

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_ON_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


class Fit(NamedTuple):
    """What a node is to a DaemonSet."""

    wanted: bool
    """Whether a pod is made for it."""
    kept: bool
    """Whether a pod that is there stays."""


def fit(daemon_set: Object, node: Object) -> Fit:
    """Whether a pod belongs on a node."""
    spec = _pod_spec(daemon_set)
    if spec.get("nodeName") not in (None, "", name_of(node)) or not _is_meant(spec, node):
        return Fit(False, False)
    taints = [taint_of(each) for each in path_of(node, "spec", "taints", default=())]
    if path_of(node, "spec", "unschedulable"):
        taints.append(UNSCHEDULABLE)
    tolerations = tolerations_of(spec)
    kept = not untolerated(taints, tolerations, ("NoExecute",))
    return Fit(kept and not untolerated(taints, tolerations, ("NoSchedule",)), kept)


def _is_meant(spec: dict[str, Any], node: Object) -> bool:
    labels = labels_of(node)
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    terms = required_nodes(spec)
    return terms is None or any(term.matches(name_of(node), labels) for term in terms)


def _pod_spec(daemon_set: Object) -> dict[str, Any]:
    """The template's spec with what daemons tolerate."""
    spec = path_of(daemon_set, "spec", "template", "spec", default={})
    wanted = [*_TOLERATED, _ON_HOST_NETWORK] if spec.get("hostNetwork") else [*_TOLERATED]
    there = spec.get("tolerations") or []
    more = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in wanted]
    return {**spec, "tolerations": [*there, *(each for each in more if each not in there)]}


def node_of_pod(pod: Object) -> str:
    """The node that a daemon's pod is on or meant for; "" if it says neither."""
    placed = path_of(pod, "spec", "nodeName", default="")
    if placed:
        return str(placed)
    for term in path_of(pod, "spec", "affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms", default=()):
        for each in term.get("matchFields") or ():
            if each.get("key") == "metadata.name" and each.get("operator") == "In" and len(each["values"]) == 1:
                return str(each["values"][0])
    return ""


def new_pod(daemon_set: Object, name: str, node: str, revision: str) -> Object:
    """The pod of a node."""
    template = path_of(daemon_set, "spec", "template", default={})
    spec = _pod_spec(daemon_set)
    affinity = spec.get("affinity") or {}
    of_nodes = affinity.get("nodeAffinity") or {}
    field = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    terms = [{**term, **field} for term in (of_nodes.get(_REQUIRED) or {}).get("nodeSelectorTerms") or [{}]]
    affinity = {**affinity, "nodeAffinity": {**of_nodes, _REQUIRED: {"nodeSelectorTerms": terms}}}
    meta: dict[str, Any] = {
        "name": name,
        "generateName": f"{name_of(daemon_set)}-",
        "namespace": namespace_of(daemon_set),
        "labels": {**labels_of(template), HASH: revision},
        "ownerReferences": [controller_reference(daemon_set)],
    }
    for field_name in ("annotations", "finalizers"):
        if metadata(template).get(field_name):
            meta[field_name] = metadata(template)[field_name]
    spec = {**spec, "affinity": affinity}
    return {"apiVersion": PODS.api_version, "kind": PODS.name, "metadata": meta, "spec": spec}
