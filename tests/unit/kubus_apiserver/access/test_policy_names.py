"""The default roles are Kubernetes' by name, by who is bound to them, and by what the roles for people let do."""

from __future__ import annotations

import pytest

from kubus_apiserver.access.authorization import Attributes, rule_allows
from kubus_apiserver.access.policy import bindings, cluster_bindings, cluster_roles, roles

SIGNERS = ("kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving", "legacy-unknown")
NAMES = {
    "admin", "cluster-admin", "edit", "view",
    "system:aggregate-to-admin", "system:aggregate-to-edit", "system:aggregate-to-view",
    "system:auth-delegator", "system:basic-user",
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    *(f"system:certificates.k8s.io:{signer}-approver" for signer in SIGNERS),
    "system:discovery", "system:heapster", "system:kube-aggregator", "system:kube-controller-manager",
    "system:kube-dns", "system:kube-scheduler", "system:kubelet-api-admin", "system:monitoring", "system:node",
    "system:node-bootstrapper", "system:node-problem-detector", "system:node-proxier",
    "system:persistent-volume-provisioner", "system:public-info-viewer",
    "system:service-account-issuer-discovery", "system:volume-scheduler",
}  # fmt: skip
OURS = {"kubus:controllers", "kubus:relay"}
READ, WRITE = ("get", "list", "watch"), ("create", "delete", "deletecollection", "patch", "update")


def test_the_roles_are_there_by_name() -> None:
    found = {each["metadata"]["name"] for each in cluster_roles()}
    assert {name for name in found if not name.startswith("system:controller:")} == NAMES | OURS
    assert {each["metadata"]["name"] for each in roles()} >= {
        "extension-apiserver-authentication-reader",
        "system::leader-locking-kube-controller-manager",
        "system::leader-locking-kube-scheduler",
    }


def test_all_bear_the_marks_of_what_is_kept_complete() -> None:
    for each in (*cluster_roles(), *cluster_bindings(), *roles(), *bindings()):
        assert each["metadata"]["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults"
        assert each["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"] == "true"


def test_strangers_are_bound_to_nothing_but_health_and_version() -> None:
    open_to_all = [
        each["metadata"]["name"]
        for each in cluster_bindings()
        if any(subject["name"] == "system:unauthenticated" for subject in each.get("subjects") or ())
    ]
    assert open_to_all == ["system:public-info-viewer"]


def parts(*labels: str) -> list[dict]:
    """The rules of an aggregated role, by the parts that its own and the lesser roles' labels name."""
    wanted = {f"rbac.authorization.k8s.io/aggregate-to-{label}" for label in labels}
    return [
        rule for each in cluster_roles() if wanted & set(each["metadata"]["labels"]) for rule in each.get("rules") or ()
    ]


VIEW, EDIT, ADMIN = parts("view"), parts("view", "edit"), parts("view", "edit", "admin")
WORKLOADS = [("apps", each) for each in ("deployments", "daemonsets", "replicasets", "statefulsets")]
OTHERS = [
    ("batch", "jobs"), ("batch", "cronjobs"), ("autoscaling", "horizontalpodautoscalers"), ("", "pods"),
    ("networking.k8s.io", "ingresses"), ("networking.k8s.io", "networkpolicies"), ("policy", "poddisruptionbudgets"),
    ("", "services"), ("", "configmaps"), ("", "persistentvolumeclaims"), ("", "serviceaccounts"),
    ("", "replicationcontrollers"),
    ("resource.k8s.io", "resourceclaims"), ("resource.k8s.io", "resourceclaimtemplates"),
]  # fmt: skip


@pytest.mark.parametrize(("group", "resource"), [*WORKLOADS, *OTHERS])
def test_who_views_reads_and_who_edits_writes(group: str, resource: str) -> None:
    for rules, verbs, allowed in ((VIEW, READ, True), (VIEW, WRITE, False), (EDIT, WRITE, True), (ADMIN, WRITE, True)):
        for verb in verbs:
            wanted = Attributes(verb, group, resource, "d", "x")
            assert any(rule_allows(rule, wanted) for rule in rules) is allowed, (verb, resource)


@pytest.mark.parametrize(
    ("verb", "group", "resource", "view", "edit", "admin"),
    [
        ("get", "", "secrets", False, True, True),
        ("create", "", "secrets", False, True, True),
        ("get", "", "pods/log", True, True, True),
        ("create", "", "pods/exec", False, True, True),
        ("create", "", "pods/portforward", False, True, True),
        ("create", "", "pods/eviction", False, True, True),
        ("create", "", "serviceaccounts/token", False, True, True),
        ("impersonate", "", "serviceaccounts", False, True, True),
        ("patch", "apps", "deployments/scale", False, True, True),
        ("get", "apps", "controllerrevisions", True, True, True),
        ("get", "discovery.k8s.io", "endpointslices", True, True, True),
        ("update", "discovery.k8s.io", "endpointslices", False, False, False),
        ("update", "", "endpoints", False, False, False),
        ("get", "", "resourcequotas", True, True, True),
        ("update", "", "resourcequotas", False, False, False),
        ("update", "", "limitranges", False, False, False),
        ("get", "", "namespaces", True, True, True),
        ("delete", "", "namespaces", False, False, False),
        ("get", "", "nodes", False, False, False),
        ("update", "coordination.k8s.io", "leases", False, True, True),
        ("get", "rbac.authorization.k8s.io", "roles", False, False, True),
        ("create", "rbac.authorization.k8s.io", "rolebindings", False, False, True),
        ("escalate", "rbac.authorization.k8s.io", "roles", False, False, False),
        ("bind", "rbac.authorization.k8s.io", "clusterroles", False, False, False),
        ("create", "authorization.k8s.io", "localsubjectaccessreviews", False, False, True),
        ("update", "apps", "deployments/status", False, False, False),
    ],
)
def test_what_the_three_roles_for_people_differ_in(
    verb: str, group: str, resource: str, view: bool, edit: bool, admin: bool
) -> None:
    wanted = Attributes(verb, group, resource, "d", "x")
    found = tuple(any(rule_allows(rule, wanted) for rule in rules) for rules in (VIEW, EDIT, ADMIN))
    assert found == (view, edit, admin)
