"""Audit policy: which requests are recorded, and how much of each.

The first rule that matches a request decides its level: None, Metadata, Request or RequestResponse; a request that none
matches is not recorded. Whatever the policy says, of requests about Secrets and tokens no more than metadata is kept.

https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from kubus.model.yaml_text import load_yaml
from kubus_apiserver.calls import User

LEVELS = ("None", "Metadata", "Request", "RequestResponse")
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
_REMEMBERED_MAX = 4096
_PATH_REMEMBERED_MAX = 512
"""Characters: nobody fills the memory with what they ask for."""
_SECRET = frozenset({("", "secrets"), ("", "serviceaccounts/token"), ("authentication.k8s.io", "tokenreviews")})


class BadPolicy(ValueError):
    """A policy that cannot be followed; the text says why."""


class Deed(NamedTuple):
    """What a request does, as far as rules ask. `resource` is `pods`, `pods/log`, or "" for a path."""

    user: User
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


class Measure(NamedTuple):
    """How a request is recorded."""

    level: str
    omitted_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool = False


NOT_AT_ALL = Measure("None")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy; what is empty matches everything."""

    level: str
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    resources: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()
    """(group, resources, names)."""
    paths: tuple[str, ...] = ()
    omitted_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool | None = None

    def matches(self, deed: Deed) -> bool:
        """Whether the rule is about a request."""
        if self.users and deed.user.name not in self.users:
            return False
        if self.groups and not self.groups.intersection(deed.user.groups):
            return False
        if self.verbs and deed.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            return bool(deed.resource) and self._matches_resource(deed)
        if self.paths:
            return not deed.resource and any(_path_matches(each, deed.path) for each in self.paths)
        return True

    def _matches_resource(self, deed: Deed) -> bool:
        if self.namespaces and deed.namespace not in self.namespaces:
            return False
        return not self.resources or any(_resource_matches(*each, deed) for each in self.resources)


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _resource_matches(group: str, resources: tuple[str, ...], names: tuple[str, ...], deed: Deed) -> bool:
    if group != deed.group or (names and deed.name not in names):
        return False
    resource, _, subresource = deed.resource.partition("/")
    patterns = {"*", deed.resource, *((f"{resource}/*", f"*/{subresource}") if subresource else ())}
    return not resources or any(each in patterns for each in resources)


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, the first of which that matches decides."""

    rules: tuple[Rule, ...]
    omitted_stages: frozenset[str] = frozenset()
    omit_managed_fields: bool = False

    def measure(self, deed: Deed) -> Measure:
        """How a request is to be recorded."""
        for rule in self.rules:
            if rule.matches(deed):
                if rule.level == "None":
                    return NOT_AT_ALL
                level = "Metadata" if (deed.group, deed.resource) in _SECRET else rule.level
                omit = self.omit_managed_fields if rule.omit_managed_fields is None else rule.omit_managed_fields
                return Measure(level, self.omitted_stages | rule.omitted_stages, omit)
        return NOT_AT_ALL


class Measures:
    """The measures of a policy, each found once: much is asked again and again, and rules look at little of it."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._by_namespace = any(rule.namespaces for rule in policy.rules)
        self._by_name = any(names for rule in policy.rules for _, _, names in rule.resources)
        self._known: dict[tuple[object, ...], Measure] = {}

    def of(self, deed: Deed) -> Measure:
        """How a request is to be recorded."""
        if not deed.resource or len(deed.path) > _PATH_REMEMBERED_MAX:
            return self._policy.measure(deed)
        namespace, name = deed.namespace if self._by_namespace else "", deed.name if self._by_name else ""
        key = (deed.user, deed.verb, deed.group, deed.resource, namespace, name)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED_MAX:
                self._known.clear()
            found = self._known[key] = self._policy.measure(deed)
        return found


def read_policy(data: bytes) -> Policy:
    """The policy of a YAML text.

    Raises:
        BadPolicy
    """
    try:
        value = load_yaml(data)
    except ValueError as error:
        raise BadPolicy(f"the audit policy cannot be read: {error}") from None
    if not isinstance(value, dict) or value.get("kind") != "Policy" or value.get("apiVersion") != "audit.k8s.io/v1":
        raise BadPolicy("an audit policy is a Policy of audit.k8s.io/v1")
    rules = value.get("rules")
    if not isinstance(rules, list) or not rules:
        raise BadPolicy("an audit policy has rules")
    return Policy(
        tuple(_rule(number, each) for number, each in enumerate(rules)),
        _stages(value.get("omitStages"), "omitStages"),
        bool(value.get("omitManagedFields")),
    )


def _rule(number: int, given: Any) -> Rule:
    where = f"rules[{number}]"
    if not isinstance(given, dict) or given.get("level") not in LEVELS:
        raise BadPolicy(f"{where}.level is one of {', '.join(LEVELS)}")
    paths = _texts(given.get("nonResourceURLs"), f"{where}.nonResourceURLs")
    if paths and (given.get("resources") or given.get("namespaces")):
        raise BadPolicy(f"{where} is about resources or about nonResourceURLs, not both")
    omit = given.get("omitManagedFields")
    return Rule(
        level=given["level"],
        users=frozenset(_texts(given.get("users"), f"{where}.users")),
        groups=frozenset(_texts(given.get("userGroups"), f"{where}.userGroups")),
        verbs=frozenset(_texts(given.get("verbs"), f"{where}.verbs")),
        namespaces=frozenset(_texts(given.get("namespaces"), f"{where}.namespaces")),
        resources=tuple(_resources(each, f"{where}.resources") for each in given.get("resources") or ()),
        paths=paths,
        omitted_stages=_stages(given.get("omitStages"), f"{where}.omitStages"),
        omit_managed_fields=None if omit is None else bool(omit),
    )


def _resources(given: Any, where: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    if not isinstance(given, dict):
        raise BadPolicy(f"{where} is a list of groups and their resources")
    names = _texts(given.get("resourceNames"), where)
    return str(given.get("group") or ""), _texts(given.get("resources"), where), names


def _texts(given: Any, where: str) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, Iterable) or isinstance(given, str) or not all(isinstance(each, str) for each in given):
        raise BadPolicy(f"{where} is a list of texts")
    return tuple(given)


def _stages(given: Any, where: str) -> frozenset[str]:
    stages = frozenset(_texts(given, where))
    if not stages <= frozenset(STAGES):
        raise BadPolicy(f"{where} knows {', '.join(STAGES)}")
    return stages
