"""Roles and bindings: what is refused."""

from __future__ import annotations

import pytest

from kubus.model.kinds.clusterrolebindings import KIND as CLUSTER_BINDINGS
from kubus.model.kinds.clusterroles import KIND as CLUSTER_ROLES
from kubus.model.kinds.rolebindings import KIND as BINDINGS
from kubus.model.kinds.roles import KIND as ROLES
from kubus.testing.kinds import complaints, created, sent, shown

RULE = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
USER = {"kind": "User", "name": "alice"}


@pytest.mark.parametrize(
    ("kind", "rule", "expected"),
    [
        (ROLES, RULE, []),
        (CLUSTER_ROLES, {"verbs": ["get"], "nonResourceURLs": ["/healthz"]}, []),
        (ROLES, {**RULE, "verbs": []}, ["rules[0].verbs: Required value: verbs must contain at least one value"]),
        (
            ROLES,
            {"verbs": ["get"]},
            [
                "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
                "rules[0].resources: Required value: resource rules must supply at least one resource",
            ],
        ),
        (
            ROLES,
            {"verbs": ["get"], "nonResourceURLs": ["/a"]},
            ['rules[0].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs'],
        ),
    ],
)
def test_rules(kind, rule, expected):
    assert complaints(kind, sent(kind, rules=[rule])) == expected


def _binding(*subjects, role="view"):
    obj = sent(BINDINGS, roleRef={"kind": "ClusterRole", "name": role}, subjects=list(subjects))
    return created(BINDINGS, obj)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (USER, []),
        ({"kind": "ServiceAccount", "name": "a", "namespace": "default"}, []),
        ({"kind": "ServiceAccount", "name": "a"}, []),
        ({"kind": "User", "name": ""}, ["subjects[0].name: Required value"]),
        (
            {"kind": "Robot", "name": "r"},
            ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'],
        ),
    ],
)
def test_subjects(subject, expected):
    assert complaints(BINDINGS, _binding(subject)) == expected


def test_the_granted_role_stays():
    (error,) = complaints(BINDINGS, _binding(role="edit"), _binding())
    assert error.startswith('roleRef: Invalid value: {"kind":"ClusterRole","name":"edit"')
    assert error.endswith(": cannot change roleRef")


def test_a_binding_shows_its_subjects():
    account = {"kind": "ServiceAccount", "name": "b", "namespace": "ci"}
    row = shown(BINDINGS, _binding(USER, {"kind": "User", "name": "bob"}, account))
    assert (row["Role"], row["Users"], row["Groups"], row["ServiceAccounts"]) == (
        "ClusterRole/view",
        "alice, bob",
        "",
        "ci/b",
    )


def test_a_binding_of_the_cluster_names_the_namespaces_of_its_accounts():
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    binding = created(
        CLUSTER_BINDINGS, sent(CLUSTER_BINDINGS, roleRef=role, subjects=[{"kind": "ServiceAccount", "name": "a"}])
    )
    assert complaints(CLUSTER_BINDINGS, binding) == ["subjects[0].namespace: Required value"]
