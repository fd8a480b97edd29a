"""Role-based access control a second time, as plainly as it can be said: every binding, every rule, every time.

No cache, no early return, nothing shared with the authorizer. It follows pkg/registry/rbac/validation/rule.go and
pkg/apis/rbac/v1/evaluation_helpers.go in structure: rules are gathered for a user and a namespace, then each is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Rule = dict[str, Any]


@dataclass
class Policy:
    """All roles and bindings of a cluster: by name, or by namespace and name."""

    cluster_roles: dict[str, list[Rule]] = field(default_factory=dict)
    roles: dict[tuple[str, str], list[Rule]] = field(default_factory=dict)
    cluster_bindings: list[tuple[str, list[dict[str, str]]]] = field(default_factory=list)
    """(ClusterRole, subjects)"""
    bindings: list[tuple[str, str, str, list[dict[str, str]]]] = field(default_factory=list)
    """(namespace, kind of role, its name, subjects)"""

    def rules_of(self, user: str, groups: tuple[str, ...], namespace: str) -> Iterator[Rule]:
        """Every rule that a user has in a namespace; "" for the cluster alone."""
        for name, subjects in self.cluster_bindings:
            if any(applies(subject, user, groups, "") for subject in subjects):
                yield from self.cluster_roles.get(name, [])
        for inside, kind, name, subjects in self.bindings:
            if namespace and inside == namespace and any(applies(each, user, groups, namespace) for each in subjects):
                yield from (
                    self.cluster_roles.get(name, []) if kind == "ClusterRole" else self.roles.get((inside, name), [])
                )


def applies(subject: dict[str, str], user: str, groups: tuple[str, ...], namespace: str) -> bool:
    """Whether a subject is this user."""
    match subject["kind"]:
        case "User":
            return user == subject["name"]
        case "Group":
            return subject["name"] in groups
        case _:
            where = subject.get("namespace") or namespace
            return bool(where) and user == f"system:serviceaccount:{where}:{subject['name']}"


def allows(rule: Rule, asked: dict[str, str]) -> bool:
    """Whether a rule covers what is asked: verb, and path, or group, resource, subresource and name."""
    if not includes(rule["verbs"], asked["verb"]):
        return False
    if "path" in asked:
        return any(url_matches(url, asked["path"]) for url in rule.get("nonResourceURLs", []))
    combined = f"{asked['resource']}/{asked['subresource']}" if asked["subresource"] else asked["resource"]
    resource = any(
        one == "*" or one == combined or (asked["subresource"] != "" and one == f"*/{asked['subresource']}")
        for one in rule.get("resources", [])
    )
    names = rule.get("resourceNames", [])
    return includes(rule.get("apiGroups", []), asked["group"]) and resource and (names == [] or asked["name"] in names)


def includes(listed: list[str], one: str) -> bool:
    """Whether a list names something, or everything."""
    return one in listed or "*" in listed


def url_matches(pattern: str, path: str) -> bool:
    """Whether a pattern covers a path."""
    if pattern == "*" or pattern == path:
        return True
    return pattern[-1:] == "*" and path[: len(pattern) - 1] == pattern[:-1]


def broken_down(rule: Rule) -> list[Rule]:
    """A rule as rules of one verb on one thing."""
    parts: list[Rule] = [
        {"apiGroups": [group], "resources": [resource], "verbs": [verb], "resourceNames": named}
        for group in rule.get("apiGroups", [])
        for resource in rule.get("resources", [])
        for verb in rule["verbs"]
        for named in ([[name] for name in rule.get("resourceNames", [])] or [[]])
    ]
    return parts + [
        {"nonResourceURLs": [url], "verbs": [verb]} for url in rule.get("nonResourceURLs", []) for verb in rule["verbs"]
    ]


def all_covered(owner: list[Rule], wanted: list[Rule]) -> bool:
    """Whether who has some rules may grant others."""
    return all(any(covers(mine, part) for mine in owner) for rule in wanted for part in broken_down(rule))


def covers(mine: Rule, part: Rule) -> bool:
    """Whether one rule includes one that is broken down."""
    verbs = includes(mine["verbs"], part["verbs"][0])
    groups = all(includes(mine.get("apiGroups", []), each) for each in part.get("apiGroups", []))
    resources = all(
        includes(mine.get("resources", []), each)
        or ("/" in each and f"*/{each.split('/', 1)[1]}" in mine.get("resources", []))
        for each in part.get("resources", [])
    )
    owned, asked = mine.get("resourceNames", []), part.get("resourceNames", [])
    names = owned == [] if asked == [] else (owned == [] or asked[0] in owned)
    urls = all(
        any(
            own == url or (own.endswith("*") and url.startswith(own.rstrip("*")))
            for own in mine.get("nonResourceURLs", [])
        )
        for url in part.get("nonResourceURLs", [])
    )
    return verbs and groups and resources and names and urls
