"""What a kubelet may: what its node and the pods bound to it need, and nothing of another node.

A kubelet is a user `system:node:<name>` in the group `system:nodes`. Some of its rights are the same for all (Services,
its own certificate requests); others depend on objects: a Secret only if one of its pods names it, a pod only if it is
bound to the node, lists of pods only with the field selector that makes them its own. What a kubelet may write into
those objects is for `node_restriction`.

https://kubernetes.io/docs/reference/access-authn-authz/node/
"""

from __future__ import annotations

from collections.abc import Callable

from kubus.model.selectors import FieldSelector
from kubus_apiserver.access.authorization import Attributes, rule_allows
from kubus_apiserver.access.node_graph import NodeGraph, Ref
from kubus_apiserver.access.policy import NODE_RULES, rule
from kubus_apiserver.calls import User

NODES_GROUP = "system:nodes"
PREFIX = "system:node:"
LEASE_NAMESPACE = "kube-node-lease"
_GETS = frozenset({"get", "list", "watch"})
_WRITES_OF_OWN = frozenset({"get", "create", "update", "patch", "delete"})
_Check = Callable[[NodeGraph, str, Attributes], bool]


def node_of(user: User) -> str:
    """The node whose kubelet a user is; "" for everybody else."""
    if user.name.startswith(PREFIX) and NODES_GROUP in user.groups:
        return user.name.removeprefix(PREFIX)
    return ""


class KubeletRights:
    """The rights of all kubelets."""

    def __init__(self, graph: NodeGraph) -> None:
        self._graph = graph
        self._rules = [rule(line) for line in NODE_RULES]

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether the user is a kubelet and may."""
        node = node_of(user)
        if not node or not wanted.resource:
            return False
        check = _CHECKS.get((wanted.group, wanted.resource))
        if check is not None and not check(self._graph, node, wanted):
            return False
        return any(rule_allows(each, wanted) for each in self._rules)


def _needed(kind: str) -> _Check:
    """Reading single objects that a pod of the node leads to."""

    def check(graph: NodeGraph, node: str, wanted: Attributes) -> bool:
        name = wanted.name or _selected(wanted.field_selector, "metadata.name")
        namespace = "" if kind in ("volume", "attachment") else wanted.namespace
        return wanted.verb in _GETS and bool(name) and graph.needs(node, Ref(kind, namespace, name))

    return check


def _claim_status(graph: NodeGraph, node: str, wanted: Attributes) -> bool:
    return wanted.verb in ("get", "update", "patch") and graph.needs(node, Ref("claim", wanted.namespace, wanted.name))


def _token(graph: NodeGraph, node: str, wanted: Attributes) -> bool:
    return wanted.verb == "create" and graph.needs(node, Ref("account", wanted.namespace, wanted.name))


def _lease(_graph: NodeGraph, node: str, wanted: Attributes) -> bool:
    if wanted.verb not in _WRITES_OF_OWN or wanted.namespace != LEASE_NAMESPACE:
        return False
    return wanted.name == node or (wanted.verb == "create" and not wanted.name)


def _own_name(_graph: NodeGraph, node: str, wanted: Attributes) -> bool:
    """An object of the node's own name; a list of the one with the selector that says so."""
    if wanted.verb in ("list", "watch"):
        return node in (wanted.name, _selected(wanted.field_selector, "metadata.name"))
    return wanted.name == node or (wanted.verb == "create" and not wanted.name)


def _pod(graph: NodeGraph, node: str, wanted: Attributes) -> bool:
    if wanted.verb in ("list", "watch"):
        if _selected(wanted.field_selector, "spec.nodeName") == node:
            return True
        name = wanted.name or _selected(wanted.field_selector, "metadata.name")
        return bool(name) and graph.needs(node, Ref("pod", wanted.namespace, name))
    if wanted.verb == "get":
        return graph.needs(node, Ref("pod", wanted.namespace, wanted.name))
    return True  # writes are judged by what they write


_CHECKS: dict[tuple[str, str], _Check] = {
    ("", "secrets"): _needed("secret"),
    ("", "configmaps"): _needed("configmap"),
    ("", "persistentvolumeclaims"): _needed("claim"),
    ("", "persistentvolumeclaims/status"): _claim_status,
    ("", "persistentvolumes"): _needed("volume"),
    ("storage.k8s.io", "volumeattachments"): _needed("attachment"),
    ("", "serviceaccounts/token"): _token,
    ("coordination.k8s.io", "leases"): _lease,
    ("storage.k8s.io", "csinodes"): _own_name,
    ("", "nodes"): _own_name,
    ("", "nodes/status"): _own_name,
    ("", "pods"): _pod,
}


def _selected(text: str, field: str) -> str:
    """The value that a field selector demands of a field, if it does."""
    if not text:
        return ""
    try:
        return FieldSelector.parse(text).value_of(field) or ""
    except ValueError:
        return ""
