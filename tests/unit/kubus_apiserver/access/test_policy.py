"""The default roles, read as a table of decisions."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_apiserver.access.authorization import Attributes, Authorizer
from kubus_apiserver.access.policy import cluster_bindings, cluster_roles, rule
from kubus_apiserver.calls import ANONYMOUS, AUTHENTICATED, User

_RBAC = "rbac.authorization.k8s.io"
SCHEDULER = User("system:kube-scheduler", (AUTHENTICATED,))
CONTROLLERS = User("system:kube-controller-manager", (AUTHENTICATED,))
PROXY = User("system:kube-proxy", (AUTHENTICATED,))
RELAY = User("system:relay", (AUTHENTICATED,))
KUBELET = User("system:node:n1", ("system:nodes", AUTHENTICATED))
ALICE = User("alice", (AUTHENTICATED,))
POD = User("system:serviceaccount:d:default", ("system:serviceaccounts", "system:serviceaccounts:d", AUTHENTICATED))
ROOT = User("root", ("system:masters", AUTHENTICATED))


def get(path: str) -> Attributes:
    return Attributes("get", path=path)


@pytest.mark.parametrize(
    ("user", "wanted", "allowed"),
    [
        (ROOT, Attributes("delete", "", "nodes", "", "n1"), True),
        (ROOT, get("/metrics"), True),
        (SCHEDULER, Attributes("create", "", "pods/binding", "d", "p"), True),
        (SCHEDULER, Attributes("delete", "", "pods", "d", "p"), True),
        (SCHEDULER, Attributes("create", "", "pods", "d"), False),
        (SCHEDULER, Attributes("get", "", "secrets", "d", "x"), False),
        (SCHEDULER, Attributes("update", "coordination.k8s.io", "leases", "kube-system", "kube-scheduler"), True),
        (SCHEDULER, Attributes("update", "coordination.k8s.io", "leases", "kube-system", "kubus-relay"), False),
        (SCHEDULER, Attributes("create", "", "events", "d"), True),
        (CONTROLLERS, Attributes("delete", "example.org", "widgets", "d", "x"), True),
        (CONTROLLERS, Attributes("patch", _RBAC, "clusterroles", "", "admin"), True),
        (CONTROLLERS, Attributes("escalate", _RBAC, "clusterroles", "", "admin"), True),
        (CONTROLLERS, Attributes("bind", _RBAC, "clusterroles", "", "cluster-admin"), False),
        (CONTROLLERS, Attributes("impersonate", "", "users", "", "root"), False),
        (CONTROLLERS, Attributes("sign", "certificates.k8s.io", "signers", "", "kubernetes.io/*"), True),
        (PROXY, Attributes("list", "discovery.k8s.io", "endpointslices"), True),
        (PROXY, Attributes("list", "", "secrets"), False),
        (PROXY, Attributes("update", "", "nodes", "", "n1"), False),
        (RELAY, Attributes("update", "coordination.k8s.io", "leases", "kube-system", "kubus-relay"), True),
        (RELAY, Attributes("list", "", "pods"), False),
        (KUBELET, Attributes("get", "", "secrets", "d", "x"), False),
        (KUBELET, Attributes("list", "", "pods"), False),
        (ALICE, Attributes("list", "", "pods", "d"), False),
        (ALICE, Attributes("create", "authorization.k8s.io", "selfsubjectaccessreviews"), True),
        (ALICE, Attributes("create", "authentication.k8s.io", "selfsubjectreviews"), True),
        (ALICE, Attributes("create", "authentication.k8s.io", "tokenreviews"), False),
        (ALICE, get("/apis/apps/v1"), True),
        (ALICE, get("/openapi/v3"), True),
        (ALICE, get("/metrics"), False),
        (ALICE, get("/openid/v1/jwks"), False),
        (POD, get("/openid/v1/jwks"), True),
        (POD, get("/.well-known/openid-configuration"), True),
        (POD, Attributes("list", "", "pods", "d"), False),
        (User("m", ("system:monitoring",)), get("/metrics"), True),
        (ANONYMOUS, get("/version"), True),
        (ANONYMOUS, get("/readyz"), True),
        (ANONYMOUS, get("/livez"), True),
        (ANONYMOUS, get("/readyz/etcd"), False),
        (ANONYMOUS, get("/api"), False),
        (ANONYMOUS, get("/metrics"), False),
        (ANONYMOUS, Attributes("create", "authorization.k8s.io", "selfsubjectaccessreviews"), False),
    ],
)
def test_who_may_what_from_the_start(told: Any, user: User, wanted: Attributes, allowed: bool) -> None:
    told.load_policy()
    assert Authorizer(told.cache).allows(user, wanted) is allowed


@pytest.mark.parametrize(
    ("role", "resource", "verb", "allowed"),
    [
        ("system:aggregate-to-view", "pods", "list", True),
        ("system:aggregate-to-view", "secrets", "get", False),
        ("system:aggregate-to-edit", "secrets", "get", True),
        ("system:aggregate-to-edit", "pods/exec", "create", True),
        ("system:aggregate-to-edit", "serviceaccounts/token", "create", True),
        ("system:aggregate-to-edit", "resourcequotas", "update", False),
        ("system:aggregate-to-admin", "roles", "create", True),
    ],
)
def test_parts_of_the_roles_for_people(role: str, resource: str, verb: str, allowed: bool) -> None:
    from kubus_apiserver.access.authorization import rule_allows

    (rules,) = (each["rules"] for each in cluster_roles() if each["metadata"]["name"] == role)
    group = _RBAC if resource == "roles" else ""
    assert any(rule_allows(each, Attributes(verb, group, resource, "d")) for each in rules) is allowed


def test_view_is_a_part_of_edit_and_edit_of_admin() -> None:
    roles = {each["metadata"]["name"]: each for each in cluster_roles()}
    assert roles["view"]["metadata"]["labels"][f"{_RBAC}/aggregate-to-edit"] == "true"
    assert roles["edit"]["metadata"]["labels"][f"{_RBAC}/aggregate-to-admin"] == "true"


def test_every_binding_has_its_role() -> None:
    names = {each["metadata"]["name"] for each in cluster_roles()}
    assert {each["roleRef"]["name"] for each in cluster_bindings()} <= names


def test_a_rule_is_read_from_its_line() -> None:
    assert rule("core,apps | pods pods/log = a b | READ delete") == {
        "apiGroups": ["", "apps"],
        "resources": ["pods", "pods/log"],
        "resourceNames": ["a", "b"],
        "verbs": ["get", "list", "watch", "delete"],
    }
    assert rule("/a /b/* | get") == {"nonResourceURLs": ["/a", "/b/*"], "verbs": ["get"]}
