"""Nobody grants more than they have."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.errors import StatusError
from kubus.model.kinds.clusterroles import KIND as CLUSTER_ROLES_KIND
from kubus.model.kinds.rolebindings import KIND as BINDINGS_KIND
from kubus.model.kinds.roles import KIND as ROLES_KIND
from kubus_apiserver.access.authorization import Attributes, Authorizer, rule_allows
from kubus_apiserver.access.escalation import Escalation, compact, uncovered
from kubus_apiserver.admission import Proposal
from kubus_apiserver.calls import AUTHENTICATED, User

GROUP = "rbac.authorization.k8s.io"
BOB = User("bob", ("dev", AUTHENTICATED))
READ = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
WRITE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}


def grant(told: Any, *rules: dict[str, Any]) -> None:
    told.put(f"clusterroles.{GROUP}", "", "mine", rules=list(rules))
    told.put(
        f"clusterrolebindings.{GROUP}",
        "",
        "mine",
        roleRef={"kind": "ClusterRole", "name": "mine"},
        subjects=[{"kind": "User", "name": "bob"}],
    )


def propose(told: Any, kind: Any, obj: dict[str, Any], old: dict[str, Any] | None = None) -> None:
    proposal = Proposal(BOB, "create" if old is None else "update", kind, "", obj, old)
    Escalation(Authorizer(told.cache))(proposal, told.cache)


def role(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": "r", "namespace": "d"}, "rules": list(rules), **fields}


def test_a_role_of_rights_one_has_is_fine(told: Any) -> None:
    grant(told, READ)
    propose(told, ROLES_KIND, role({**READ, "verbs": ["get"]}))
    propose(told, ROLES_KIND, role({**READ, "resourceNames": ["x"]}))


def test_a_role_of_more_is_refused_in_kubernetes_words(told: Any) -> None:
    grant(told, READ)
    with pytest.raises(StatusError) as refused:
        propose(told, ROLES_KIND, role(READ, WRITE, {**WRITE, "verbs": ["create"]}))
    assert refused.value.message == (
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "bob" (groups=["dev" "system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}'
    )


def test_what_was_granted_before_may_be_finalized_but_not_labelled(told: Any) -> None:
    """A label makes a role part of an aggregated one, so it can grant."""
    before, kept = role(WRITE), role(WRITE)
    kept["metadata"] |= {"finalizers": ["example.com/x"], "resourceVersion": "7"}
    propose(told, ROLES_KIND, kept, before)
    labelled = {**before, "metadata": {**before["metadata"], "labels": {f"{GROUP}/aggregate-to-view": "true"}}}
    with pytest.raises(StatusError, match="attempting to grant RBAC permissions not currently held"):
        propose(told, CLUSTER_ROLES_KIND, labelled, before)


def test_taking_an_aggregation_away_needs_every_right_too(told: Any) -> None:
    before = {"metadata": {"name": "r"}, "aggregationRule": {"clusterRoleSelectors": [{}]}}
    with pytest.raises(StatusError, match="must have cluster-admin privileges to use the aggregationRule"):
        propose(told, CLUSTER_ROLES_KIND, {"metadata": {"name": "r"}}, before)


def test_who_may_escalate_grants_anything(told: Any) -> None:
    grant(told, {"apiGroups": [GROUP], "resources": ["roles"], "verbs": ["escalate"]})
    propose(told, ROLES_KIND, role(WRITE))


def test_an_aggregated_role_needs_every_right(told: Any) -> None:
    grant(told, READ)
    with pytest.raises(StatusError, match="must have cluster-admin privileges to use the aggregationRule"):
        propose(
            told, CLUSTER_ROLES_KIND, {"metadata": {"name": "r"}, "aggregationRule": {"clusterRoleSelectors": [{}]}}
        )


@pytest.mark.parametrize(
    ("mine", "allowed"),
    [
        ([WRITE], True),
        ([READ], False),
        ([{"apiGroups": [GROUP], "resources": ["clusterroles"], "resourceNames": ["big"], "verbs": ["bind"]}], True),
        ([{"apiGroups": [GROUP], "resources": ["clusterroles"], "resourceNames": ["other"], "verbs": ["bind"]}], False),
    ],
)
def test_a_binding_needs_the_roles_rights_or_leave_to_bind_it(told: Any, mine: list[Any], allowed: bool) -> None:
    told.put(f"clusterroles.{GROUP}", "", "big", rules=[WRITE])
    grant(told, *mine)
    binding = {
        "metadata": {"name": "b", "namespace": "d"},
        "roleRef": {"kind": "ClusterRole", "name": "big"},
        "subjects": [],
    }
    if allowed:
        propose(told, BINDINGS_KIND, binding)
        return
    with pytest.raises(StatusError, match="attempting to grant RBAC permissions not currently held"):
        propose(told, BINDINGS_KIND, binding)


def test_a_binding_to_a_role_that_is_not_there_is_refused(told: Any) -> None:
    with pytest.raises(StatusError) as refused:
        propose(
            told, BINDINGS_KIND, {"metadata": {"name": "b", "namespace": "d"}, "roleRef": {"kind": "Role", "name": "x"}}
        )
    assert refused.value.message == 'roles.rbac.authorization.k8s.io "x" not found'


def test_rules_are_shown_compactly() -> None:
    shown = compact({"nonResourceURLs": ["/x"], "verbs": ["get"], "resourceNames": []})
    assert shown == '{NonResourceURLs:["/x"], Verbs:["get"]}'


VERBS, GROUPS, RESOURCES, NAMES = ["get", "list"], ["", "apps"], ["a", "b", "a/x", "b/x"], ["n", "m", ""]
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "verbs": st.lists(st.sampled_from([*VERBS, "*"]), min_size=1, max_size=2),
            "apiGroups": st.lists(st.sampled_from([*GROUPS, "*"]), min_size=1, max_size=2),
            "resources": st.lists(st.sampled_from([*RESOURCES, "*", "*/x"]), min_size=1, max_size=2),
            "resourceNames": st.lists(st.sampled_from(NAMES[:2]), max_size=2),
        }
    ),
    max_size=3,
)


@settings(max_examples=150)
@given(RULES, RULES)
def test_whoever_covers_a_role_can_do_all_that_the_role_can(mine: list[Any], wanted: list[Any]) -> None:
    if uncovered(mine, wanted):
        return
    for verb, group, resource, name in itertools.product(VERBS, GROUPS, RESOURCES, NAMES):
        asked = Attributes(verb, group, resource, "d", name)
        if any(rule_allows(rule, asked) for rule in wanted):
            assert any(rule_allows(rule, asked) for rule in mine), f"{asked} was granted by one who may not do it"
