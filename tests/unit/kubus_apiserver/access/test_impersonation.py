"""Whom a request may be done as."""

from __future__ import annotations

from typing import Any

import pytest

from kubus.model.errors import StatusError
from kubus_apiserver.access.authorization import Authorizer
from kubus_apiserver.access.impersonation import Wanted, impersonated, wanted
from kubus_apiserver.calls import User

ADMIN = User("admin", ("system:masters",))


def test_headers_name_the_other() -> None:
    headers = [
        ("Impersonate-User", "bob"),
        ("impersonate-group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Extra-Acme.com%2Fproject", "x"),
        ("Accept", "*/*"),
    ]
    assert wanted(headers) == Wanted("bob", ("a", "b"), "7", (("acme.com/project", ("x",)),))
    assert wanted([("Accept", "*/*")]) is None


def test_a_group_without_a_user_makes_no_sense() -> None:
    with pytest.raises(StatusError) as refused:
        wanted([("Impersonate-Group", "a")])
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("other", "groups"),
    [
        (Wanted("bob"), ("system:authenticated",)),
        (Wanted("bob", ("dev",)), ("dev", "system:authenticated")),
        (Wanted("bob", ("system:authenticated",)), ("system:authenticated",)),
        (Wanted("system:anonymous"), ("system:unauthenticated",)),
        (
            Wanted("system:serviceaccount:a:b"),
            ("system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"),
        ),
        (Wanted("system:serviceaccount:a:b", ("dev",)), ("dev", "system:authenticated")),
    ],
)
def test_the_other_has_the_groups_of_one_who_logged_in(told: Any, other: Wanted, groups: tuple[str, ...]) -> None:
    assert impersonated(ADMIN, other, Authorizer(told.cache)).groups == groups


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            Wanted("eve"),
            'users "eve" is forbidden: User "bob" cannot impersonate resource "users" in API group "" '
            "at the cluster scope",
        ),
        (
            Wanted("alice", ("system:masters",)),
            'groups "system:masters" is forbidden: User "bob" cannot impersonate resource "groups" in API group "" '
            "at the cluster scope",
        ),
        (
            Wanted("alice", uid="1"),
            'uids.authentication.k8s.io "1" is forbidden: User "bob" cannot impersonate resource "uids" in API group '
            '"authentication.k8s.io" at the cluster scope',
        ),
        (
            Wanted("alice", extra=(("scopes", ("all",)),)),
            'userextras.authentication.k8s.io "all" is forbidden: User "bob" cannot impersonate resource '
            '"userextras/scopes" in API group "authentication.k8s.io" at the cluster scope',
        ),
        (
            Wanted("system:serviceaccount:a:b"),
            'serviceaccounts "b" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" '
            'in API group "" in the namespace "a"',
        ),
    ],
)
def test_every_part_of_the_other_needs_its_own_right(told: Any, other: Wanted, words: str) -> None:
    rule = {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["alice"]}
    told.put("clusterroles.rbac.authorization.k8s.io", "", "r", rules=[rule])
    told.put(
        "clusterrolebindings.rbac.authorization.k8s.io",
        "",
        "b",
        roleRef={"kind": "ClusterRole", "name": "r"},
        subjects=[{"kind": "User", "name": "bob"}],
    )
    assert impersonated(User("bob"), Wanted("alice"), Authorizer(told.cache)).name == "alice"
    with pytest.raises(StatusError) as refused:
        impersonated(User("bob"), other, Authorizer(told.cache))
    assert refused.value.message == words
