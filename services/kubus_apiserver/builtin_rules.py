"""What the cluster's own identities may do, as RBAC rules that need no objects.

Kubernetes writes such rules into ClusterRoles at start-up; here they are data, so that the control plane works
in an empty store. Each identity gets what its work needs: the controller manager acts on every kind because garbage
collection does, a kubelet reads what its pods need and writes its node and their status.
"""

from __future__ import annotations

from typing import Any

Rule = dict[str, Any]

_READ = ["get", "list", "watch"]
_WRITE = ["create", "update", "patch", "delete"]
_ALL = ["*"]


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Rule:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


_EVENTS = _rule(["", "events.k8s.io"], ["events"], ["create", "patch", "update"])
_LEASES = _rule(["coordination.k8s.io"], ["leases"], [*_READ, *_WRITE])
_READ_ALL = _rule(_ALL, _ALL, _READ)

USERS: dict[str, list[Rule]] = {
    "system:apiserver": [_rule(_ALL, _ALL, _ALL)],
    "system:relay": [_LEASES],
    "system:kube-controller-manager": [_rule(_ALL, _ALL, _ALL)],
    "system:kube-scheduler": [
        _rule(
            [""],
            [
                "nodes",
                "pods",
                "namespaces",
                "services",
                "replicationcontrollers",
                "persistentvolumes",
                "persistentvolumeclaims",
            ],
            _READ,
        ),
        _rule(["apps", "policy", "storage.k8s.io", "resource.k8s.io", "scheduling.k8s.io"], ["*"], _READ),
        _rule([""], ["pods/binding", "bindings"], ["create"]),
        _rule([""], ["pods/status"], ["patch", "update"]),
        _rule([""], ["pods"], ["delete"]),
        _EVENTS,
        _LEASES,
    ],
    "system:kube-proxy": [
        _rule([""], ["services", "endpoints", "nodes", "pods", "namespaces"], _READ),
        _rule(["discovery.k8s.io"], ["endpointslices"], _READ),
        _EVENTS,
    ],
}
"""By user name."""

GROUPS: dict[str, list[Rule]] = {
    "system:masters": [_rule(_ALL, _ALL, _ALL), {"nonResourceURLs": ["*"], "verbs": ["*"]}],
    "system:nodes": [
        _rule(
            [""],
            [
                "services",
                "endpoints",
                "configmaps",
                "secrets",
                "namespaces",
                "persistentvolumeclaims",
                "persistentvolumes",
            ],
            _READ,
        ),
        _rule([""], ["nodes"], [*_READ, "create", "update", "patch", "delete"]),
        _rule([""], ["nodes/status"], ["get", "patch", "update"]),
        _rule([""], ["pods"], [*_READ, "create", "delete"]),
        _rule([""], ["pods/status"], ["get", "patch", "update"]),
        _rule([""], ["pods/eviction", "serviceaccounts/token"], ["create"]),
        _rule(["node.k8s.io", "storage.k8s.io", "discovery.k8s.io"], ["*"], _READ),
        _rule(["certificates.k8s.io"], ["certificatesigningrequests"], ["create", *_READ]),
        _EVENTS,
        _LEASES,
    ],
    "system:authenticated": [
        {
            "nonResourceURLs": [
                "/api",
                "/api/*",
                "/apis",
                "/apis/*",
                "/openapi",
                "/openapi/*",
                "/version",
                "/version/",
                "/healthz",
                "/livez",
                "/readyz",
            ],
            "verbs": ["get"],
        },
        _rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
    ],
    "system:unauthenticated": [
        {
            "nonResourceURLs": ["/healthz", "/livez", "/livez/*", "/readyz", "/readyz/*", "/version", "/version/"],
            "verbs": ["get"],
        },
    ],
}
"""By group."""
