"""NodeRestriction: what a kubelet may write into the objects it may write.

It changes its own Node, but neither its taints, nor its pod range, which the controllers give and every node routes to
it, nor labels by which others choose nodes; the status of its own pods, but not their labels; it deletes and evicts its
own pods only, and creates mirror pods of itself only. Tokens it asks for are bound to a pod of its own that runs as
that ServiceAccount, for an audience that the pod's volumes name.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubus.model.errors import StatusError, forbidden
from kubus.model.objects import Key, Object, path_of
from kubus_apiserver.access.mirror_pods import refusal_for_node
from kubus_apiserver.access.node_rights import LEASE_NAMESPACE, node_of
from kubus_apiserver.admission import Proposal
from kubus_apiserver.calls import User
from kubus_apiserver.reading.watchcache import WatchCache

_OWN_LABELS = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
_OWN_PREFIXES = ("kubelet.kubernetes.io/", "node.kubernetes.io/")
_RESTRICTED_PREFIX = "node-restriction.kubernetes.io/"


def node_restriction(proposal: Proposal, cache: WatchCache) -> None:
    """Refuse a kubelet's write to what is not its own.

    Raises:
        StatusError: 403.
    """
    node = node_of(proposal.user)
    check = _CHECKS.get(proposal.kind.collection) if node and proposal.verb != "connect" else None
    if check is not None and (proposal.kind.collection, proposal.subresource) == ("pods.core", "eviction"):
        _eviction(node, proposal, cache)
    elif check is not None and proposal.is_new("pods.core"):
        _new_pod(node, proposal, cache)
    elif check is not None:
        check(node, proposal)


def _refused(proposal: Proposal, detail: str) -> StatusError:
    return proposal.refused(detail)


def _eviction(node: str, proposal: Proposal, cache: WatchCache) -> None:
    entry = cache.get(Key("pods.core", proposal.namespace, proposal.name))
    if entry is not None and path_of(entry.object, "spec", "nodeName", default="") != node:
        raise _refused(proposal, f'node "{node}" can only evict pods with spec.nodeName set to itself')


def _new_pod(node: str, proposal: Proposal, cache: WatchCache) -> None:
    wrong = refusal_for_node(proposal.object, node, cache)
    if wrong:
        raise _refused(proposal, wrong)


def _pod(node: str, proposal: Proposal) -> None:
    before = proposal.old or {}
    own = path_of(before, "spec", "nodeName", default="") == node
    if proposal.verb == "delete":
        if not own:
            raise _refused(proposal, f'node "{node}" can only delete pods with spec.nodeName set to itself')
        return
    if proposal.subresource != "status":
        raise _refused(proposal, f'unexpected subresource or operation of node "{node}" on a pod')
    if not own:
        raise _refused(proposal, f'node "{node}" can only update pod status for pods with spec.nodeName set to itself')
    if (before["metadata"].get("labels") or {}) != (proposal.object["metadata"].get("labels") or {}):
        raise _refused(proposal, f'node "{node}" cannot update labels through pod status')


def _node(node: str, proposal: Proposal) -> None:
    obj, old = proposal.object, proposal.old
    if obj["metadata"].get("name") != node:
        raise _refused(proposal, f'node "{node}" is not allowed to modify node "{obj["metadata"].get("name")}"')
    before = old or {"metadata": {}, "spec": {}}
    if _pod_ranges(obj) != _pod_ranges(before):
        raise _refused(proposal, f'node "{node}" is not allowed to modify podCIDRs')
    if proposal.verb == "create":
        wrong = [key for key in obj["metadata"].get("labels") or {} if key.startswith(_RESTRICTED_PREFIX)]
    else:
        if proposal.verb == "update" and _taints(obj) != _taints(before):
            raise _refused(proposal, f'node "{node}" is not allowed to modify taints')
        wrong = _forbidden_changes(obj["metadata"].get("labels") or {}, before["metadata"].get("labels") or {})
    if wrong:
        shown = ", ".join(sorted(wrong))
        raise _refused(proposal, f'node "{node}" is not allowed to modify labels: {shown}')
    if old is not None and obj["metadata"].get("ownerReferences") != before["metadata"].get("ownerReferences"):
        raise _refused(proposal, f'node "{node}" is not allowed to modify ownerReferences')


def _taints(obj: Object) -> Any:
    return path_of(obj, "spec", "taints", default=[]) or []


def _pod_ranges(obj: Object) -> tuple[Any, Any]:
    return path_of(obj, "spec", "podCIDR") or "", path_of(obj, "spec", "podCIDRs") or []


def _forbidden_changes(labels: dict[str, str], before: dict[str, str]) -> list[str]:
    changed = [key for key in {*labels, *before} if labels.get(key) != before.get(key)]
    return [key for key in changed if not _is_own_label(key)]


def _is_own_label(key: str) -> bool:
    prefix = key.partition("/")[0] if "/" in key else ""
    reserved = prefix in ("kubernetes.io", "k8s.io") or prefix.endswith((".kubernetes.io", ".k8s.io"))
    return not reserved or key in _OWN_LABELS or key.startswith(_OWN_PREFIXES)


def _claim(node: str, proposal: Proposal) -> None:
    if proposal.subresource != "status":
        raise _refused(proposal, f'node "{node}" can only update the status of a claim')


def _lease(node: str, proposal: Proposal) -> None:
    metadata = proposal.object["metadata"]
    if metadata.get("namespace") != LEASE_NAMESPACE:
        raise _refused(proposal, f'can only access leases in the "{LEASE_NAMESPACE}" system namespace')
    if metadata.get("name") != node:
        raise _refused(proposal, "can only access node lease with the same name as the requesting node")


def _csi_node(node: str, proposal: Proposal) -> None:
    if proposal.object["metadata"].get("name") != node:
        raise _refused(proposal, "can only access CSINode with the same name as the requesting node")


_CHECKS: dict[str, Callable[[str, Proposal], None]] = {
    "pods.core": _pod,
    "nodes.core": _node,
    "persistentvolumeclaims.core": _claim,
    "leases.coordination.k8s.io": _lease,
    "csinodes.storage.k8s.io": _csi_node,
}


def check_token_request(user: User, account: str, spec: Object, pod: Object | None) -> None:
    """Refuse a kubelet a token that none of its pods needs; `pod` is what the request is bound to.

    Raises:
        StatusError: 403.
    """
    node = node_of(user)
    if not node:
        return
    reference = spec.get("boundObjectRef") or {}
    if reference.get("kind") != "Pod" or pod is None:
        raise forbidden("serviceaccounts", "", account, "node requested token not bound to a pod")
    if not reference.get("uid"):
        raise forbidden("serviceaccounts", "", account, "node requested token with a pod binding without a uid")
    if path_of(pod, "spec", "nodeName", default="") != node:
        raise forbidden(
            "serviceaccounts", "", account, "node requested token bound to a pod scheduled on a different node"
        )
    named = {
        source["serviceAccountToken"].get("audience") or ""
        for volume in path_of(pod, "spec", "volumes", default=())
        for source in (volume.get("projected") or {}).get("sources") or ()
        if source.get("serviceAccountToken")
    }
    for audience in spec.get("audiences") or [""]:
        if audience not in named:
            detail = f'audience "{audience}" not found in pod spec volume'
            raise forbidden("serviceaccounts", "", account, detail)
