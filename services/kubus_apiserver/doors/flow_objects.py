"""The levels and flows of fairness as Kubernetes shows them: PriorityLevelConfigurations and FlowSchemas.

They are made when they are absent, so that `kubectl get flowschemas` shows what is served before what, and so that the
headers of answers (`X-Kubernetes-PF-FlowSchema-UID`, `…-PriorityLevel-UID`) have something to name. What is served
before what is decided in `fairness`, whatever these objects say.

https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#defaults
"""

from __future__ import annotations

from kubus.model.objects import Object
from kubus_apiserver.doors.fairness import EXEMPT, LEVELS

GROUP = "flowcontrol.apiserver.k8s.io"
FLOW_SCHEMAS, PRIORITY_LEVELS = f"flowschemas.{GROUP}", f"prioritylevelconfigurations.{GROUP}"
_EVERYTHING: Object = {
    "resourceRules": [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    ],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}
_LEASES: Object = {
    "resourceRules": [
        {
            "verbs": ["get", "create", "update"],
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "namespaces": ["kube-system"],
        }
    ]
}
_NODES: Object = {
    "resourceRules": [
        {"verbs": ["*"], "apiGroups": [""], "resources": ["nodes", "nodes/status"], "clusterScope": True},
        {"verbs": ["*"], "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "namespaces": ["*"]},
    ]
}
_PROBES: Object = {
    "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}],
}
_FLOWS: tuple[tuple[str, int, str, Object, tuple[str, ...]], ...] = (
    ("exempt", 1, EXEMPT, _EVERYTHING, ("Group system:masters",)),
    ("probes", 2, EXEMPT, _PROBES, ("Group system:unauthenticated", "Group system:authenticated")),
    (
        "system-leader-election",
        100,
        "leader-election",
        _LEASES,
        ("User system:kube-controller-manager", "User system:kube-scheduler", "ServiceAccount *"),
    ),
    ("system-node-high", 400, "node-high", _NODES, ("Group system:nodes",)),
    ("system-nodes", 500, "system", _EVERYTHING, ("Group system:nodes",)),
    ("kube-controller-manager", 800, "workload-high", _EVERYTHING, ("User system:kube-controller-manager",)),
    ("kube-scheduler", 800, "workload-high", _EVERYTHING, ("User system:kube-scheduler",)),
    ("kube-system-service-accounts", 900, "workload-high", _EVERYTHING, ("ServiceAccount *",)),
    ("service-accounts", 9000, "workload-low", _EVERYTHING, ("Group system:serviceaccounts",)),
    (
        "global-default",
        9900,
        "global-default",
        _EVERYTHING,
        ("Group system:unauthenticated", "Group system:authenticated"),
    ),
)
"""Name, precedence, level, rules, subjects."""


def priority_levels() -> list[Object]:
    """All levels, the exempt one too."""
    exempt: Object = {"nominalConcurrencyShares": 0, "lendablePercent": 0}
    made = [_object("PriorityLevelConfiguration", EXEMPT, {"type": "Exempt", "exempt": exempt})]
    for level in LEVELS:
        queuing = {"queues": 1, "handSize": 1, "queueLengthLimit": level.waiting_max_user}
        response: Object = {"type": "Queue", "queuing": queuing}
        limited = {"nominalConcurrencyShares": level.seats, "lendablePercent": 0, "limitResponse": response}
        made.append(_object("PriorityLevelConfiguration", level.name, {"type": "Limited", "limited": limited}))
    return made


def flow_schemas() -> list[Object]:
    """All flows, the most urgent first."""
    return [
        _object(
            "FlowSchema",
            name,
            {
                "priorityLevelConfiguration": {"name": level},
                "matchingPrecedence": precedence,
                "distinguisherMethod": {"type": "ByUser"},
                "rules": [{"subjects": [_subject(each) for each in subjects], **rules}],
            },
        )
        for name, precedence, level, rules, subjects in _FLOWS
    ]


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata: Object = {"name": name, "annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _subject(text: str) -> Object:
    kind, _, name = text.partition(" ")
    if kind == "ServiceAccount":
        return {"kind": kind, "serviceAccount": {"name": name, "namespace": "kube-system"}}
    return {"kind": kind, kind.lower(): {"name": name}}
