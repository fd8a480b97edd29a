"""The authorizer against a plain second implementation: 10,000 generated questions, and what one may grant."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from tests.unit.kubus_apiserver.access.rbac_oracle import Policy, Rule, all_covered, allows

from kubus_apiserver.access.authorization import (
    BINDINGS,
    CLUSTER_BINDINGS,
    CLUSTER_ROLES,
    ROLES,
    Attributes,
    Authorizer,
)
from kubus_apiserver.access.escalation import uncovered
from kubus_apiserver.calls import User

SEEDS, QUESTIONS = 40, 250
VERBS = ["get", "list", "watch", "create", "delete", "bind", "impersonate"]
GROUPS = ["", "apps", "rbac.authorization.k8s.io"]
RESOURCES = ["pods", "nodes", "deployments", "roles"]
SUBRESOURCES = ["", "log", "status"]
NAMES = ["", "a", "b"]
NAMESPACES = ["", "one", "two"]
PATHS = ["/", "/api", "/api/v1", "/apis", "/metrics", "/healthz/etcd"]
PATTERNS = [*PATHS, "*", "/*", "/api/*", "/api*", "/healthz/*", "/api/v1/*"]
USERS = ["ann", "bob", "system:serviceaccount:one:s", "system:serviceaccount:two:s"]
GROUPS_OF_USERS = ["dev", "ops", "system:authenticated"]


def some(random: Random, values: list[str], most: int = 3) -> list[str]:
    return random.sample(values, random.randint(1, min(most, len(values))))


def made_rule(random: Random) -> Rule:
    verbs = ["*"] if random.random() < 0.15 else some(random, VERBS)
    if random.random() < 0.25:
        return {"verbs": verbs, "nonResourceURLs": some(random, PATTERNS)}
    plain = [f"{each}/{sub}" if sub else each for each in RESOURCES for sub in SUBRESOURCES]
    rule: Rule = {
        "verbs": verbs,
        "apiGroups": ["*"] if random.random() < 0.2 else some(random, GROUPS),
        "resources": some(random, [*plain, "*", "*/log", "*/status"]),
    }
    if random.random() < 0.3:
        rule["resourceNames"] = some(random, ["a", "b"])
    return rule


def made_subject(random: Random) -> dict[str, str]:
    kind = random.choice(["User", "Group", "ServiceAccount"])
    if kind == "ServiceAccount":
        where = random.choice(["one", "two", ""])
        return {"kind": kind, "name": "s"} | ({"namespace": where} if where else {})
    return {"kind": kind, "name": random.choice(USERS if kind == "User" else GROUPS_OF_USERS)}


def made_policy(random: Random) -> Policy:
    rules = lambda: [made_rule(random) for _ in range(random.randint(0, 3))]  # noqa: E731  three times below
    policy = Policy(
        {f"c{number}": rules() for number in range(4)},
        {(where, f"r{number}"): rules() for where in ("one", "two") for number in range(2)},
    )
    for _ in range(random.randint(0, 3)):
        policy.cluster_bindings.append((f"c{random.randint(0, 4)}", [made_subject(random)]))
    for _ in range(random.randint(3, 9)):
        kind = random.choice(["ClusterRole", "Role"])
        name = f"c{random.randint(0, 4)}" if kind == "ClusterRole" else f"r{random.randint(0, 2)}"
        policy.bindings.append((random.choice(["one", "two"]), kind, name, [made_subject(random)]))
    return policy


def tell(told: Any, policy: Policy) -> None:
    """The policy as objects."""
    for name, rules in policy.cluster_roles.items():
        told.put(CLUSTER_ROLES, "", name, rules=rules)
    for (namespace, name), rules in policy.roles.items():
        told.put(ROLES, namespace, name, rules=rules)
    for number, (role, subjects) in enumerate(policy.cluster_bindings):
        told.put(CLUSTER_BINDINGS, "", f"b{number}", roleRef={"kind": "ClusterRole", "name": role}, subjects=subjects)
    for number, (namespace, kind, role, subjects) in enumerate(policy.bindings):
        told.put(BINDINGS, namespace, f"b{number}", roleRef={"kind": kind, "name": role}, subjects=subjects)


def made_question(random: Random) -> tuple[User, str, dict[str, str], Attributes]:
    user = User(random.choice(USERS), tuple(some(random, GROUPS_OF_USERS)))
    verb = random.choice(VERBS)
    if random.random() < 0.2:
        path = random.choice(PATHS)
        return user, "", {"verb": verb, "path": path}, Attributes(verb, path=path)
    asked = {
        "verb": verb,
        "group": random.choice(GROUPS),
        "resource": random.choice(RESOURCES),
        "subresource": random.choice(SUBRESOURCES),
        "name": random.choice(NAMES),
    }
    namespace = random.choice(NAMESPACES)
    resource = f"{asked['resource']}/{asked['subresource']}" if asked["subresource"] else asked["resource"]
    return user, namespace, asked, Attributes(verb, asked["group"], resource, namespace, asked["name"])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_both_decide_alike(told: Any, seed: int) -> None:
    random = Random(seed)
    policy = made_policy(random)
    tell(told, policy)
    authorizer = Authorizer(told.cache)
    yes = 0
    for _ in range(QUESTIONS):
        user, namespace, asked, wanted = made_question(random)
        expected = any(allows(rule, asked) for rule in policy.rules_of(user.name, user.groups, namespace))
        assert authorizer.allows(user, wanted) is expected, f"seed {seed}: {user} asks {wanted} under {policy}"
        yes += expected
    assert yes < QUESTIONS, "everything was allowed: such questions show nothing"


def test_enough_of_the_questions_are_answered_with_yes() -> None:
    yes = 0
    for seed in range(SEEDS):
        random = Random(seed)
        policy = made_policy(random)
        for _ in range(QUESTIONS):
            user, namespace, asked, _ = made_question(random)
            yes += any(allows(rule, asked) for rule in policy.rules_of(user.name, user.groups, namespace))
    assert 500 < yes < 9500, f"{yes} of 10,000: the generator draws too few questions of one kind"


@pytest.mark.parametrize("seed", range(4))
def test_both_let_the_same_be_granted(seed: int) -> None:
    random = Random(1000 + seed)
    granted = 0
    for _ in range(2500):
        mine = [made_rule(random) for _ in range(random.randint(1, 4))]
        wanted = [made_rule(random)]
        if random.random() < 0.5:  # a part of what one has
            wanted = [{**random.choice(mine)}]
            wanted[0]["verbs"] = [random.choice(VERBS)] if "*" in wanted[0]["verbs"] else wanted[0]["verbs"][:1]
        expected = all_covered(mine, wanted)
        assert (not uncovered(mine, wanted)) is expected, f"seed {seed}: {mine} grants {wanted}"
        granted += expected
    assert granted > 500


@pytest.mark.parametrize("seed", range(5))
def test_all_rules_of_a_user_are_told_and_no_others(told: Any, seed: int) -> None:
    random = Random(2000 + seed)
    policy = made_policy(random)
    tell(told, policy)
    authorizer = Authorizer(told.cache)
    for name in USERS:
        for namespace in ("one", "two"):
            user = User(name, tuple(some(random, GROUPS_OF_USERS)))
            expected = list(policy.rules_of(user.name, user.groups, namespace))
            assert sorted(map(str, authorizer.rules_in(user, namespace))) == sorted(map(str, expected))
