"""Rights: rules, bindings, and the words of refusal."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubus.model.objects import Key
from kubus.model.records import Note, encode_record, store_key
from kubus.store import StoreChange
from kubus_apiserver.access.authorization import Attributes, Authorizer, refusal, rule_allows
from kubus_apiserver.calls import User
from kubus_apiserver.reading.watchcache import WatchCache

PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
GROUP = "rbac.authorization.k8s.io"


@pytest.mark.parametrize(
    ("rule", "wanted", "allowed"),
    [
        (PODS, Attributes("get", "", "pods", "d", "x"), True),
        (PODS, Attributes("get", "", "pods/log", "d", "x"), False),
        (PODS, Attributes("get", "apps", "pods", "d", "x"), False),
        (PODS, Attributes("delete", "", "pods", "d", "x"), False),
        ({**PODS, "resources": ["*"]}, Attributes("get", "", "pods/log"), True),
        ({**PODS, "resources": ["*/log"]}, Attributes("get", "", "pods/log"), True),
        ({**PODS, "resources": ["*/log"]}, Attributes("get", "", "pods"), False),
        ({**PODS, "resourceNames": ["x"]}, Attributes("get", "", "pods", "d", "x"), True),
        ({**PODS, "resourceNames": ["x"]}, Attributes("get", "", "pods", "d", "y"), False),
        ({**PODS, "resourceNames": ["x"]}, Attributes("list", "", "pods", "d"), False),
        ({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, Attributes("get", path="/metrics"), True),
        ({"nonResourceURLs": ["/api/*"], "verbs": ["*"]}, Attributes("get", path="/api/v1"), True),
        ({"nonResourceURLs": ["/api/*"], "verbs": ["*"]}, Attributes("get", path="/apis"), False),
        ({"nonResourceURLs": ["*"], "verbs": ["*"]}, Attributes("get", "", "pods"), False),
        ({}, Attributes("get", "", "pods"), False),
    ],
)
def test_a_rule_covers_what_it_names_and_nothing_else(rule: dict[str, Any], wanted: Attributes, allowed: bool) -> None:
    assert rule_allows(rule, wanted) is allowed


class Roles:
    """A cache that is given roles and bindings."""

    def __init__(self) -> None:
        self.cache = WatchCache()
        self.authorizer = Authorizer(self.cache)

    def put(self, resource: str, namespace: str, name: str, **fields: Any) -> None:
        key = store_key(Key(f"{resource}.{GROUP}", namespace, name))
        obj = {"metadata": {"name": name, "namespace": namespace}, **fields}
        revision = self.cache.revision + 1
        value = encode_record(Note("t", "t", "create", 0), obj)
        self.cache.apply([StoreChange(key, value, revision, revision, None)])

    def allows(self, user: User, namespace: str, resource: str = "pods") -> bool:
        return self.authorizer.allows(user, Attributes("list", "", resource, namespace))


@pytest.mark.parametrize(
    ("subject", "user"),
    [
        ({"kind": "User", "name": "u"}, User("u")),
        ({"kind": "Group", "name": "g"}, User("x", ("g",))),
        ({"kind": "ServiceAccount", "name": "s", "namespace": "n"}, User("system:serviceaccount:n:s")),
        ({"kind": "ServiceAccount", "name": "s"}, User("system:serviceaccount:d:s")),
    ],
)
def test_a_binding_gives_a_role_to_its_subjects_in_its_namespace(subject: dict[str, str], user: User) -> None:
    roles = Roles()
    assert not roles.allows(user, "d")
    roles.put("roles", "d", "r", rules=[PODS])
    roles.put("rolebindings", "d", "b", subjects=[subject], roleRef={"kind": "Role", "name": "r"})
    assert roles.allows(user, "d")
    assert not roles.allows(user, "e")
    assert not roles.allows(user, "")
    assert not roles.allows(User("somebody"), "d")


def test_a_cluster_role_bound_in_a_namespace_holds_there_only() -> None:
    roles, user = Roles(), User("u")
    roles.put("clusterroles", "", "r", rules=[PODS])
    reference = {"kind": "ClusterRole", "name": "r"}
    subjects = [{"kind": "User", "name": "u"}]
    roles.put("rolebindings", "d", "b", subjects=subjects, roleRef=reference)
    assert (roles.allows(user, "d"), roles.allows(user, "e")) == (True, False)
    roles.put("clusterrolebindings", "", "b", subjects=subjects, roleRef=reference)
    assert (roles.allows(user, "e"), roles.allows(user, "")) == (True, True)


def test_a_role_that_is_missing_gives_nothing() -> None:
    roles = Roles()
    roles.put("rolebindings", "d", "b", subjects=[{"kind": "User", "name": "u"}], roleRef={"kind": "Role", "name": "r"})
    assert not roles.allows(User("u"), "d")


def test_a_decision_names_the_binding_that_allows() -> None:
    roles = Roles()
    roles.put("roles", "d", "r", rules=[PODS])
    roles.put("rolebindings", "d", "b", subjects=[{"kind": "User", "name": "u"}], roleRef={"kind": "Role", "name": "r"})
    reason = roles.authorizer.decide(User("u"), Attributes("list", "", "pods", "d"))
    assert reason == 'RBAC: allowed by RoleBinding "b/d" of Role "r" to User "u"'
    assert roles.authorizer.decide(User("u"), Attributes("delete", "", "pods", "d")) is None


def test_masters_need_no_role() -> None:
    assert Roles().allows(User("root", ("system:masters",)), "d")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (
            Attributes("delete", "apps", "deployments", "d", "x"),
            'deployments.apps "x" is forbidden: User "u" cannot delete resource "deployments" in API group "apps" '
            'in the namespace "d"',
        ),
        (
            Attributes("list", "", "nodes"),
            'nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope',
        ),
        (Attributes("get", path="/metrics"), 'forbidden: User "u" cannot get path "/metrics"'),
    ],
)
def test_refusals_are_in_kubernetes_words(wanted: Attributes, words: str) -> None:
    assert refusal(User("u"), wanted).message == words


NAMES, VERBS, RESOURCES = ["a", "b"], ["get", "list"], ["pods", "pods/log", "nodes"]
RULE = st.one_of(
    st.fixed_dictionaries(
        {
            "verbs": st.lists(st.sampled_from([*VERBS, "*"]), min_size=1, max_size=2),
            "apiGroups": st.lists(st.sampled_from(["", "apps", "*"]), min_size=1, max_size=2),
            "resources": st.lists(st.sampled_from([*RESOURCES, "*", "*/log"]), min_size=1, max_size=2),
        },
        optional={"resourceNames": st.lists(st.sampled_from(NAMES), max_size=2)},
    ),
    st.fixed_dictionaries(
        {
            "verbs": st.lists(st.sampled_from([*VERBS, "*"]), min_size=1, max_size=2),
            "nonResourceURLs": st.lists(st.sampled_from(["/x", "/x/*", "*"]), min_size=1, max_size=2),
        }
    ),
)
SUBJECT = st.sampled_from(
    [
        {"kind": "User", "name": "u"},
        {"kind": "Group", "name": "g"},
        {"kind": "ServiceAccount", "name": "s", "namespace": "a"},
    ]
)
BINDING = st.tuples(
    st.sampled_from(["", "a", "b"]), st.sampled_from(["Role", "ClusterRole"]), st.lists(SUBJECT, max_size=2)
)
WANTED = st.one_of(
    st.builds(
        Attributes,
        st.sampled_from(VERBS),
        st.sampled_from(["", "apps"]),
        st.sampled_from(RESOURCES),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", *NAMES]),
    ),
    st.builds(
        lambda verb, path: Attributes(verb, path=path), st.sampled_from(VERBS), st.sampled_from(["/x", "/x/y", "/z"])
    ),
)
USERS = [User("u"), User("v", ("g",)), User("system:serviceaccount:a:s"), User("w")]


@settings(max_examples=200)
@given(
    st.lists(RULE, max_size=3), st.lists(RULE, max_size=2), st.lists(BINDING, max_size=3), st.lists(WANTED, max_size=12)
)
def test_every_decision_is_that_of_a_second_opinion(
    cluster_rules: list[Any], rules: list[Any], bindings: list[Any], questions: list[Attributes]
) -> None:
    roles = Roles()
    roles.put("clusterroles", "", "r", rules=cluster_rules)
    roles.put("roles", "a", "r", rules=rules)
    for number, (namespace, kind, subjects) in enumerate(bindings):
        reference = {"kind": kind if namespace else "ClusterRole", "name": "r"}
        resource = "rolebindings" if namespace else "clusterrolebindings"
        roles.put(resource, namespace, f"b{number}", subjects=subjects, roleRef=reference)
    for user in USERS:
        for wanted in questions:
            expected = second_opinion(user, wanted, cluster_rules, rules, bindings)
            assert roles.authorizer.allows(user, wanted) is expected, f"{user} {wanted}"


def second_opinion(
    user: User, wanted: Attributes, cluster_rules: list[Any], rules: list[Any], bindings: list[Any]
) -> bool:
    """The same question, answered the long way: every binding, subject, rule and entry in turn."""
    for namespace, kind, subjects in bindings:
        if namespace and (not wanted.resource or wanted.namespace != namespace):
            continue
        of_namespace = rules if namespace == "a" else []
        granted = of_namespace if kind == "Role" and namespace else cluster_rules
        for subject in subjects:
            is_account = subject["kind"] == "ServiceAccount" and user.name == "system:serviceaccount:a:s"
            is_group = subject["kind"] == "Group" and subject["name"] in user.groups
            is_user = subject["kind"] == "User" and subject["name"] == user.name
            if (is_account or is_group or is_user) and any(_says_yes(rule, wanted) for rule in granted):
                return True
    return False


def _says_yes(rule: dict[str, Any], wanted: Attributes) -> bool:
    if not {wanted.verb, "*"} & set(rule["verbs"]):
        return False
    if not wanted.resource:
        return any(fnmatchcase(wanted.path, url) for url in rule.get("nonResourceURLs", []))
    if "resources" not in rule or not {wanted.group, "*"} & set(rule["apiGroups"]):
        return False
    subresource = wanted.resource.split("/")[1:]
    if not {wanted.resource, "*", *(f"*/{each}" for each in subresource)} & set(rule["resources"]):
        return False
    return not rule.get("resourceNames") or wanted.name in rule["resourceNames"]
