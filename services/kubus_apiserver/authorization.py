"""Role-based access control: who may do what.

The decision is a function of the user, the request's `Attributes` and the role objects in the cache, by the rules of
https://kubernetes.io/docs/reference/access-authn-authz/rbac/. Rules are gathered once for a user and kept until any
role or binding changes. The cluster's own identities have rules of their own (`builtin_rules`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError, forbidden
from kubus.model.objects import Key, Object
from kubus_apiserver.builtin_rules import GROUPS, USERS
from kubus_apiserver.calls import User
from kubus_apiserver.watchcache import WatchCache

_GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{_GROUP}", f"clusterroles.{_GROUP}"
BINDINGS, CLUSTER_BINDINGS = f"rolebindings.{_GROUP}", f"clusterrolebindings.{_GROUP}"
_USERS_REMEMBERED = 4096


class Attributes(NamedTuple):
    """What is asked for. `resource` is "" for a path that is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    """`pods`, `pods/log`."""
    namespace: str = ""
    name: str = ""
    path: str = ""


class _Granted(NamedTuple):
    """The rules of one user: those of the whole cluster, and those of single namespaces."""

    everywhere: list[dict[str, Any]]
    inside: dict[str, list[dict[str, Any]]]


class Authorizer:
    """Decides by the roles in a cache."""

    def __init__(self, cache: WatchCache) -> None:
        self._cache = cache
        self._granted: dict[User, _Granted] = {}
        self._seen: tuple[int, ...] = ()

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether the user may."""
        if "system:masters" in user.groups:
            return True
        granted = self._rules(user)
        if any(rule_allows(rule, wanted) for rule in granted.everywhere):
            return True
        return bool(wanted.resource) and any(
            rule_allows(rule, wanted) for rule in granted.inside.get(wanted.namespace, ()) if wanted.namespace
        )

    def check(self, user: User, wanted: Attributes) -> None:
        """Let the user do it.

        Raises:
            StatusError: 403 in Kubernetes' words.
        """
        if not self.allows(user, wanted):
            raise refusal(user, wanted)

    def rules_in(self, user: User, namespace: str) -> list[dict[str, Any]]:
        """Every rule that the user has in a namespace."""
        granted = self._rules(user)
        return [*granted.everywhere, *granted.inside.get(namespace, ())]

    def _rules(self, user: User) -> _Granted:
        seen = tuple(
            self._cache.collection(name).revision for name in (ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS)
        )
        if seen != self._seen or len(self._granted) > _USERS_REMEMBERED:
            self._granted.clear()
            self._seen = seen
        found = self._granted.get(user)
        if found is None:
            found = self._granted[user] = self._gather(user)
        return found

    def _gather(self, user: User) -> _Granted:
        everywhere = list(USERS.get(user.name, ()))
        for group in user.groups:
            everywhere += GROUPS.get(group, ())
        for binding in self._objects(CLUSTER_BINDINGS):
            if _names(binding, user):
                everywhere += self._role_rules(binding.get("roleRef") or {}, "")
        inside: dict[str, list[dict[str, Any]]] = {}
        for binding in self._objects(BINDINGS):
            if _names(binding, user):
                namespace = binding["metadata"].get("namespace", "")
                inside.setdefault(namespace, []).extend(self._role_rules(binding.get("roleRef") or {}, namespace))
        return _Granted(everywhere, inside)

    def _role_rules(self, reference: dict[str, Any], namespace: str) -> list[dict[str, Any]]:
        collection = CLUSTER_ROLES if reference.get("kind") == "ClusterRole" else ROLES
        if collection == ROLES and not namespace:
            return []
        key = Key(collection, "" if collection == CLUSTER_ROLES else namespace, reference.get("name") or "")
        entry = self._cache.get(key)
        try:
            return [] if entry is None else list(entry.object.get("rules") or ())
        except DecodeError:
            return []

    def _objects(self, collection: str) -> Iterator[Object]:
        for entry in self._cache.collection(collection).select():
            try:
                yield entry.object
            except DecodeError:
                continue


def rule_allows(rule: dict[str, Any], wanted: Attributes) -> bool:
    """Whether one rule covers what is asked for."""
    verbs = rule.get("verbs") or ()
    if wanted.verb not in verbs and "*" not in verbs:
        return False
    if not wanted.resource:
        return any(_path_matches(pattern, wanted.path) for pattern in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if wanted.group not in groups and "*" not in groups:
        return False
    if not _resource_matches(rule.get("resources") or (), wanted.resource):
        return False
    names = rule.get("resourceNames")
    return not names or wanted.name in names


def _resource_matches(resources: list[str] | tuple[()], wanted: str) -> bool:
    if wanted in resources or "*" in resources:
        return True
    _, slash, subresource = wanted.partition("/")
    return bool(slash) and f"*/{subresource}" in resources


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _names(binding: Object, user: User) -> bool:
    for subject in binding.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return True
        if kind == "Group" and name in user.groups:
            return True
        if kind == "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            if user.name == f"system:serviceaccount:{namespace}:{name}":
                return True
    return False


def refusal(user: User, wanted: Attributes) -> StatusError:
    """403 as Kubernetes says it."""
    if not wanted.resource:
        return forbidden("", "", "", f'User "{user.name}" cannot {wanted.verb} path "{wanted.path}"')
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    detail = (
        f'User "{user.name}" cannot {wanted.verb} resource "{wanted.resource}" in API group "{wanted.group}" {where}'
    )
    return forbidden(wanted.resource.partition("/")[0], wanted.group, wanted.name, detail)
