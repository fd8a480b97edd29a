"""The roles of Kubernetes' controllers, each with the ServiceAccount that upstream gives it.

The controllers here share one identity and need none of them. They are there because people look for them: who runs
a controller of their own in place of one of these, or wants to know what a controller may do, finds
`system:controller:…` in every cluster. A rule is a line as in `kubus_apiserver.access.policy`.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
"""

from __future__ import annotations

_EVENTS = "core,events.k8s.io | events | create patch update"
_PODS = "core | pods | create delete list patch watch"

CONTROLLER_ROLES: dict[str, tuple[str, ...]] = {
    "certificate-controller": (
        "certificates.k8s.io | certificatesigningrequests | delete get list watch",
        "certificates.k8s.io | certificatesigningrequests/approval certificatesigningrequests/status | update",
        "certificates.k8s.io | signers = kubernetes.io/kube-apiserver-client-kubelet | approve",
        "certificates.k8s.io | signers = kubernetes.io/legacy-unknown kubernetes.io/kube-apiserver-client"
        " kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving | sign",
        "authorization.k8s.io | subjectaccessreviews | create",
        _EVENTS,
    ),
    "clusterrole-aggregation-controller": (
        "rbac.authorization.k8s.io | clusterroles | escalate get list patch update watch",
    ),
    "cronjob-controller": (
        "batch | cronjobs | get list update watch",
        "batch | jobs | create delete get list patch update watch",
        "batch | cronjobs/status | update",
        "batch | cronjobs/finalizers | update",
        "core | pods | delete list watch",
        _EVENTS,
    ),
    "daemon-set-controller": (
        "apps,extensions | daemonsets | READ",
        "apps,extensions | daemonsets/status | update",
        "apps,extensions | daemonsets/finalizers | update",
        "core | nodes | list watch",
        _PODS,
        "core | pods/binding | create",
        "apps | controllerrevisions | create delete get list patch update watch",
        _EVENTS,
    ),
    "deployment-controller": (
        "apps,extensions | deployments | get list update watch",
        "apps,extensions | deployments/status | update",
        "apps,extensions | deployments/finalizers | update",
        "apps,extensions | replicasets | create delete get list patch update watch",
        "core | pods | get list update watch",
        _EVENTS,
    ),
    "disruption-controller": (
        "apps,extensions | deployments | READ",
        "apps,extensions | replicasets | READ",
        "core | replicationcontrollers | READ",
        "policy | poddisruptionbudgets | READ",
        "apps | statefulsets | READ",
        "policy | poddisruptionbudgets/status | update",
        "core | pods/status | patch update",
        "* | */scale | get",
        _EVENTS,
    ),
    "endpoint-controller": (
        "core | pods services | READ",
        "core | endpoints | create delete get list update watch",
        "core | endpoints/restricted | create",
        _EVENTS,
    ),
    "endpointslice-controller": (
        "core | nodes pods services | READ",
        "core | services/finalizers | update",
        "discovery.k8s.io | endpointslices | create delete get list update watch",
        _EVENTS,
    ),
    "endpointslicemirroring-controller": (
        "core | endpoints services | READ",
        "core | services/finalizers | update",
        "core | endpoints/finalizers | update",
        "discovery.k8s.io | endpointslices | create delete get list update watch",
        _EVENTS,
    ),
    "generic-garbage-collector": ("* | * | delete get list patch update watch", _EVENTS),
    "job-controller": (
        "batch | jobs | get list patch update watch",
        "batch | jobs/status | update",
        "batch | jobs/finalizers | update",
        _PODS,
        _EVENTS,
    ),
    "namespace-controller": (
        "core | namespaces | delete get list watch",
        "core | namespaces/finalize namespaces/status | update",
        "* | * | delete deletecollection get list watch",
    ),
    "node-controller": (
        "core | nodes | delete get list patch update watch",
        "core | nodes/status | patch update",
        "core | pods/status | patch update",
        "core | pods | delete get list watch",
        _EVENTS,
    ),
    "pod-garbage-collector": ("core | pods | delete list watch", "core | nodes | READ", "core | pods/status | patch"),
    "pv-protection-controller": ("core | persistentvolumes | get list update watch", _EVENTS),
    "pvc-protection-controller": (
        "core | persistentvolumeclaims | get list update watch",
        "core | pods | READ",
        _EVENTS,
    ),
    "replicaset-controller": (
        "apps,extensions | replicasets | get list update watch",
        "apps,extensions | replicasets/status | update",
        "apps,extensions | replicasets/finalizers | update",
        _PODS,
        _EVENTS,
    ),
    "replication-controller": (
        "core | replicationcontrollers | get list update watch",
        "core | replicationcontrollers/status | update",
        "core | replicationcontrollers/finalizers | update",
        _PODS,
        _EVENTS,
    ),
    "resourcequota-controller": ("* | * | list watch", "core | resourcequotas/status | update", _EVENTS),
    "root-ca-cert-publisher": ("core | configmaps | create update", _EVENTS),
    "service-account-controller": ("core | serviceaccounts | create", _EVENTS),
    "statefulset-controller": (
        "core | pods | list watch",
        "apps | statefulsets | READ",
        "apps | statefulsets/status | update",
        "apps | statefulsets/finalizers | update",
        "core | pods | create delete get patch update",
        "apps | controllerrevisions | create delete get list patch update watch",
        "core | persistentvolumeclaims | create get list watch",
        "core | persistentvolumeclaims | delete update",
        "core | pods/finalizers | update",
        _EVENTS,
    ),
    "ttl-after-finished-controller": ("batch | jobs | delete get list watch", _EVENTS),
}
"""ServiceAccount in kube-system → the rules of its role `system:controller:<ServiceAccount>`."""

CLUSTER_ROLES = {f"system:controller:{name}": rules for name, rules in CONTROLLER_ROLES.items()}
CLUSTER_BINDINGS = {
    f"system:controller:{name}": (f"system:controller:{name}", (f"ServiceAccount kube-system/{name}",))
    for name in CONTROLLER_ROLES
}
