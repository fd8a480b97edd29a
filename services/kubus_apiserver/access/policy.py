"""The roles and bindings that every cluster has from the start.

Those of Kubernetes under their names
(https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings), and a few of kubus'
own, `kubus:…`: Kubernetes gives each of its controllers a ServiceAccount and a role, while the controllers here share
one identity; and there is a relay. A rule is written as one line of text:

    <group>[,<group>] | <resource> … [= <name> …] | <verb> …        "core" is the group ""
    <path> … | <verb> …

`kubus_apiserver.access.policy_sync` brings them into the store and keeps them complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kubus.model.objects import Object
from kubus_apiserver.access import controller_policy

Rule = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
BOOTSTRAPPING = {"kubernetes.io/bootstrapping": "rbac-defaults"}
AGGREGATE = f"{GROUP}/aggregate-to-"
_WORDS = {
    "READ": ("get", "list", "watch"),
    "WRITE": ("create", "delete", "deletecollection", "patch", "update"),
    "ALL": ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
}
_EVENTS = "core,events.k8s.io | events | create patch update"
_REVIEWS = ("authentication.k8s.io | tokenreviews | create", "authorization.k8s.io | subjectaccessreviews | create")

_AGGREGATED = {
    "admin": ("admin", ()),
    "edit": ("edit", ("admin",)),
    "view": ("view", ("edit",)),
}
"""name → (which label its parts bear, what it is itself a part of)."""

_PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "system:aggregate-to-admin": (
        "admin",
        (
            "authorization.k8s.io | localsubjectaccessreviews | create",
            "rbac.authorization.k8s.io | rolebindings roles | ALL",
        ),
    ),
    "system:aggregate-to-edit": (
        "edit",
        (
            "core | pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy | READ",
            "core | serviceaccounts | impersonate",
            "core | pods pods/attach pods/exec pods/portforward pods/proxy | WRITE",
            "core | pods/eviction | create",
            "core | configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale"
            " secrets serviceaccounts services services/proxy | WRITE",
            "core | serviceaccounts/token | create",
            "apps | daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale"
            " statefulsets statefulsets/scale | WRITE",
            "autoscaling | horizontalpodautoscalers | WRITE",
            "batch | cronjobs jobs | WRITE",
            "extensions | daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies"
            " replicasets replicasets/scale replicationcontrollers/scale | WRITE",
            "policy | poddisruptionbudgets | WRITE",
            "networking.k8s.io | ingresses networkpolicies | WRITE",
            "coordination.k8s.io | leases | ALL",
            "resource.k8s.io | resourceclaims resourceclaimtemplates | WRITE",
        ),
    ),
    "system:aggregate-to-view": (
        "view",
        (
            "core | configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods"
            " replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status | READ",
            "core | bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status"
            " resourcequotas resourcequotas/status | READ",
            "core | namespaces | READ",
            "discovery.k8s.io | endpointslices | READ",
            "apps | controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status"
            " replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status"
            " | READ",
            "autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status | READ",
            "batch | cronjobs cronjobs/status jobs jobs/status | READ",
            "extensions | daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses"
            " ingresses/status networkpolicies replicasets replicasets/scale replicasets/status"
            " replicationcontrollers/scale | READ",
            "policy | poddisruptionbudgets poddisruptionbudgets/status | READ",
            "networking.k8s.io | ingresses ingresses/status networkpolicies | READ",
            "resource.k8s.io | resourceclaims resourceclaims/status resourceclaimtemplates | READ",
        ),
    ),
}
"""name → (what it is a part of, rules)."""

_SIGNERS = ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")
_DISCOVERY = "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/ | get"
NODE_RULES = (
    *_REVIEWS,
    "authorization.k8s.io | localsubjectaccessreviews | create",
    "core | services | READ",
    "core | nodes | create get list watch",
    "core | nodes/status | patch update",
    "core | nodes | patch update",
    "core | events | create patch update",
    "core | pods | get list watch create delete",
    "core | pods/status | patch update",
    "core | pods/eviction | create",
    "core | configmaps secrets | READ",
    "core | persistentvolumeclaims persistentvolumes | get",
    "core | endpoints | get",
    "certificates.k8s.io | certificatesigningrequests | create get list watch",
    "coordination.k8s.io | leases | create delete get patch update",
    "storage.k8s.io | volumeattachments | get",
    "core | serviceaccounts/token | create",
    "core | persistentvolumeclaims/status | get patch update",
    "storage.k8s.io | csidrivers | READ",
    "storage.k8s.io | csinodes | create delete get patch update",
    "node.k8s.io | runtimeclasses | READ",
)

CLUSTER_ROLES: dict[str, tuple[str, ...]] = {
    "cluster-admin": ("* | * | *", "* | *"),
    "system:auth-delegator": _REVIEWS,
    "system:basic-user": (
        "authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews | create",
        "authentication.k8s.io | selfsubjectreviews | create",
    ),
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient": (
        "certificates.k8s.io | certificatesigningrequests/nodeclient | create",
    ),
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": (
        "certificates.k8s.io | certificatesigningrequests/selfnodeclient | create",
    ),
    **{
        f"system:certificates.k8s.io:{signer}-approver": (
            f"certificates.k8s.io | signers = kubernetes.io/{signer} | approve",
        )
        for signer in _SIGNERS
    },
    "system:discovery": (_DISCOVERY,),
    "system:heapster": ("core | events namespaces nodes pods | READ", "extensions | deployments | READ"),
    "system:kube-aggregator": ("core | endpoints services | READ",),
    "system:kube-controller-manager": (
        _EVENTS,
        "coordination.k8s.io | leases | create",
        "coordination.k8s.io | leases = kube-controller-manager | get update",
        "core | secrets serviceaccounts | create",
        "core | secrets | delete",
        "core | configmaps namespaces secrets serviceaccounts | get",
        "core | secrets serviceaccounts | update",
        *_REVIEWS,
        "* | * | list watch",
        "core | serviceaccounts/token | create",
    ),
    "system:kube-dns": ("core | endpoints services | list watch",),
    "system:kube-scheduler": (
        _EVENTS,
        "coordination.k8s.io | leases | create",
        "coordination.k8s.io | leases = kube-scheduler | get update",
        "core | nodes | READ",
        "core | pods | delete get list watch",
        "core | bindings pods/binding | create",
        "core | pods/status | patch update",
        "core | replicationcontrollers services | READ",
        "apps,extensions | replicasets | READ",
        "apps | statefulsets | READ",
        "policy | poddisruptionbudgets | READ",
        "core | persistentvolumeclaims persistentvolumes | READ",
        *_REVIEWS,
        "storage.k8s.io | csinodes csidrivers csistoragecapacities | READ",
        "core | namespaces | READ",
        "resource.k8s.io | deviceclasses resourceclaims resourceslices | READ",
    ),
    "system:kubelet-api-admin": (
        "core | nodes | READ",
        "core | nodes | proxy",
        "core | nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats | *",
    ),
    "system:monitoring": ("/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* | get",),
    "system:node": NODE_RULES,
    "system:node-bootstrapper": ("certificates.k8s.io | certificatesigningrequests | create get list watch",),
    "system:node-problem-detector": ("core | nodes | get", "core | nodes/status | patch", _EVENTS),
    "system:node-proxier": (
        "core | endpoints services | list watch",
        "core | nodes | READ",
        _EVENTS,
        "discovery.k8s.io | endpointslices | list watch",
        "networking.k8s.io | servicecidrs | list watch",
    ),
    "system:persistent-volume-provisioner": (
        "core | persistentvolumes | create delete get list watch",
        "core | persistentvolumeclaims | get list update watch",
        "storage.k8s.io | storageclasses | READ",
        "core | events | watch",
        _EVENTS,
    ),
    "system:public-info-viewer": ("/healthz /livez /readyz /version /version/ | get",),
    "system:service-account-issuer-discovery": ("/.well-known/openid-configuration /openid/v1/jwks | get",),
    "system:volume-scheduler": (
        "core | persistentvolumes persistentvolumeclaims | get list patch update watch",
        "storage.k8s.io | storageclasses | READ",
    ),
    # What follows is of kubus.
    "kubus:controllers": (
        "* | * | ALL",
        f"{GROUP} | clusterroles | escalate",
        "certificates.k8s.io | signers = kubernetes.io/* | approve sign",
    ),
    "kubus:relay": ("coordination.k8s.io | leases | create", "coordination.k8s.io | leases = kubus-relay | get update"),
}

_AUTHENTICATED, _UNAUTHENTICATED = "Group system:authenticated", "Group system:unauthenticated"
CLUSTER_BINDINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "cluster-admin": ("cluster-admin", ("Group system:masters",)),
    "system:monitoring": ("system:monitoring", ("Group system:monitoring",)),
    "system:discovery": ("system:discovery", (_AUTHENTICATED,)),
    "system:basic-user": ("system:basic-user", (_AUTHENTICATED,)),
    "system:public-info-viewer": ("system:public-info-viewer", (_AUTHENTICATED, _UNAUTHENTICATED)),
    "system:node-proxier": ("system:node-proxier", ("User system:kube-proxy",)),
    "system:kube-controller-manager": ("system:kube-controller-manager", ("User system:kube-controller-manager",)),
    "system:kube-dns": ("system:kube-dns", ("ServiceAccount kube-system/kube-dns",)),
    "system:kube-scheduler": ("system:kube-scheduler", ("User system:kube-scheduler",)),
    "system:volume-scheduler": ("system:volume-scheduler", ("User system:kube-scheduler",)),
    "system:node": ("system:node", ()),
    "system:service-account-issuer-discovery": (
        "system:service-account-issuer-discovery",
        ("Group system:serviceaccounts",),
    ),
    "kubus:controllers": ("kubus:controllers", ("User system:kube-controller-manager",)),
    "kubus:relay": ("kubus:relay", ("User system:relay",)),
}
"""name → (role, subjects)."""

NAMESPACE_ROLES: dict[tuple[str, str], tuple[str, ...]] = {
    ("kube-system", "extension-apiserver-authentication-reader"): (
        "core | configmaps = extension-apiserver-authentication | READ",
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "core | configmaps | watch",
        "core | configmaps = kube-controller-manager | get update",
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "core | configmaps | watch",
        "core | configmaps = kube-scheduler | get update",
    ),
}
NAMESPACE_BINDINGS: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("kube-system", "system::extension-apiserver-authentication-reader"): (
        "extension-apiserver-authentication-reader",
        ("User system:kube-controller-manager", "User system:kube-scheduler"),
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "system::leader-locking-kube-controller-manager",
        ("User system:kube-controller-manager", "ServiceAccount kube-system/kube-controller-manager"),
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "system::leader-locking-kube-scheduler",
        ("User system:kube-scheduler", "ServiceAccount kube-system/kube-scheduler"),
    ),
}


def rule(text: str) -> Rule:
    """The rule of a line."""
    parts = [part.strip() for part in text.split("|")]
    verbs = [verb for word in parts[-1].split() for verb in _WORDS.get(word, (word,))]
    if len(parts) == 2:
        return {"nonResourceURLs": parts[0].split(), "verbs": verbs}
    resources, _, names = parts[1].partition("=")
    made: Rule = {
        "apiGroups": ["" if each == "core" else each for each in parts[0].split(",")],
        "resources": resources.split(),
        "verbs": verbs,
    }
    if names:
        made["resourceNames"] = names.split()
    return made


def cluster_roles() -> Iterable[Object]:
    """Every ClusterRole."""
    for name, lines in {**CLUSTER_ROLES, **controller_policy.CLUSTER_ROLES}.items():
        yield {**_object("ClusterRole", name), "rules": [rule(line) for line in lines]}
    for name, (whole, lines) in _PARTS.items():
        part_of = {f"{AGGREGATE}{whole}": "true"}
        yield {**_object("ClusterRole", name, labels=part_of), "rules": [rule(line) for line in lines]}
    for name, (part, wholes) in _AGGREGATED.items():
        selector = {"matchLabels": {f"{AGGREGATE}{part}": "true"}}
        part_of = {f"{AGGREGATE}{whole}": "true" for whole in wholes}
        yield {**_object("ClusterRole", name, labels=part_of), "aggregationRule": {"clusterRoleSelectors": [selector]}}


def cluster_bindings() -> Iterable[Object]:
    """Every ClusterRoleBinding."""
    for name, (role, subjects) in {**CLUSTER_BINDINGS, **controller_policy.CLUSTER_BINDINGS}.items():
        yield {**_object("ClusterRoleBinding", name), **_grant("ClusterRole", role, subjects)}


def roles() -> Iterable[Object]:
    """Every Role."""
    for (namespace, name), lines in NAMESPACE_ROLES.items():
        yield {**_object("Role", name, namespace), "rules": [rule(line) for line in lines]}


def bindings() -> Iterable[Object]:
    """Every RoleBinding."""
    for (namespace, name), (role, subjects) in NAMESPACE_BINDINGS.items():
        yield {**_object("RoleBinding", name, namespace), **_grant("Role", role, subjects)}


def _object(kind: str, name: str, namespace: str = "", *, labels: dict[str, str] | None = None) -> Object:
    metadata: Object = {
        "name": name,
        "labels": {**BOOTSTRAPPING, **(labels or {})},
        "annotations": {AUTOUPDATE: "true"},
    }
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}


def _grant(kind: str, role: str, subjects: Sequence[str]) -> Object:
    granted: Object = {"roleRef": {"apiGroup": GROUP, "kind": kind, "name": role}}
    if subjects:
        granted["subjects"] = [_subject(*each.split()) for each in subjects]
    return granted


def _subject(kind: str, name: str) -> Object:
    if kind == "ServiceAccount":
        namespace, _, account = name.partition("/")
        return {"kind": kind, "namespace": namespace, "name": account}
    return {"apiGroup": GROUP, "kind": kind, "name": name}
