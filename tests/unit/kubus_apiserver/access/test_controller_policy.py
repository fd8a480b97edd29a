"""The roles of controllers, as their ServiceAccounts have them."""

from __future__ import annotations

from typing import Any

import pytest

from kubus_apiserver.access.authorization import Attributes, Authorizer
from kubus_apiserver.access.controller_policy import CONTROLLER_ROLES
from kubus_apiserver.access.policy import cluster_bindings, cluster_roles
from kubus_apiserver.calls import AUTHENTICATED, User


def account(name: str) -> User:
    groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", AUTHENTICATED)
    return User(f"system:serviceaccount:kube-system:{name}", groups)


@pytest.mark.parametrize(
    ("name", "wanted", "allowed"),
    [
        ("replicaset-controller", Attributes("create", "", "pods", "d"), True),
        ("replicaset-controller", Attributes("create", "apps", "deployments", "d"), False),
        ("deployment-controller", Attributes("update", "apps", "deployments/status", "d", "x"), True),
        ("disruption-controller", Attributes("get", "example.org", "widgets/scale", "d", "x"), True),
        ("disruption-controller", Attributes("get", "example.org", "widgets", "d", "x"), False),
        ("generic-garbage-collector", Attributes("delete", "example.org", "widgets", "d", "x"), True),
        ("generic-garbage-collector", Attributes("create", "", "pods", "d"), False),
        (
            "certificate-controller",
            Attributes("approve", "certificates.k8s.io", "signers", "", "kubernetes.io/kube-apiserver-client-kubelet"),
            True,
        ),
        (
            "certificate-controller",
            Attributes("approve", "certificates.k8s.io", "signers", "", "kubernetes.io/kubelet-serving"),
            False,
        ),
        ("service-account-controller", Attributes("create", "", "serviceaccounts", "d"), True),
        ("nobody", Attributes("create", "", "pods", "d"), False),
    ],
)
def test_a_controllers_account_may_do_its_work(told: Any, name: str, wanted: Attributes, allowed: bool) -> None:
    told.load_policy()
    assert Authorizer(told.cache).allows(account(name), wanted) is allowed


def test_every_role_has_its_binding() -> None:
    roles = {role["metadata"]["name"]: role for role in cluster_roles()}
    bound = {each["roleRef"]["name"]: each["subjects"] for each in cluster_bindings() if "subjects" in each}
    for name in CONTROLLER_ROLES:
        role = f"system:controller:{name}"
        assert bound[role] == [{"kind": "ServiceAccount", "namespace": "kube-system", "name": name}]
        assert roles[role]["metadata"]["labels"] == {"kubernetes.io/bootstrapping": "rbac-defaults"}
        assert all(rule["verbs"] == sorted(rule["verbs"]) for rule in roles[role]["rules"])
