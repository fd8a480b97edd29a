"""Role-based access control: who may do what.

The decision is a function of the user, the request's `Attributes` and the role objects in the cache, by the rules of
https://kubernetes.io/docs/reference/access-authn-authz/rbac/. Rules are gathered once for a user and kept until any
role or binding changes. Before roles are asked, `system:masters` may do everything, and a kubelet what its node needs
(`kubus_apiserver.access.node_rights`). HTTP and bus ask the same `Authorizer`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from kubus.model.codec import DecodeError
from kubus.model.errors import StatusError, forbidden
from kubus.model.objects import Key, Object
from kubus.model.selectors import FieldSelector
from kubus_apiserver.calls import MASTERS, User
from kubus_apiserver.reading.watchcache import WatchCache

_GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{_GROUP}", f"clusterroles.{_GROUP}"
BINDINGS, CLUSTER_BINDINGS = f"rolebindings.{_GROUP}", f"clusterrolebindings.{_GROUP}"
_USERS_REMEMBERED = 4096
_OF_MANY = frozenset({"list", "watch", "deletecollection"})
EVERYTHING: dict[str, Any] = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
EVERY_PATH: dict[str, Any] = {"verbs": ["*"], "nonResourceURLs": ["*"]}


class Attributes(NamedTuple):
    """What is asked for. `resource` is "" for a path that is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    """`pods`, `pods/log`."""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: str = ""
    """Of a list or watch."""


class Granted(NamedTuple):
    """A rule that a user has, and by which binding."""

    rule: dict[str, Any]
    reason: str


class NodeRights(Protocol):
    """What kubelets may, beside roles; see `kubus_apiserver.access.node_rights`."""

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether the user is a kubelet and may."""


class _Rules(NamedTuple):
    """The rules of one user: those of the whole cluster, and those of single namespaces."""

    everywhere: list[Granted]
    inside: dict[str, list[Granted]]


class Authorizer:
    """Decides by the roles in a cache."""

    def __init__(self, cache: WatchCache, nodes: NodeRights | None = None) -> None:
        self._cache = cache
        self._nodes = nodes
        self._granted: dict[tuple[str, tuple[str, ...]], _Rules] = {}
        self._seen: tuple[int, ...] = ()

    def decide(self, user: User, wanted: Attributes) -> str | None:
        """Why the user may; None if they may not."""
        if MASTERS in user.groups:
            return "the user is a member of system:masters"
        if self._nodes is not None and self._nodes.allows(user, wanted):
            return "the node needs it"
        rules = self._rules(user)
        for granted in rules.everywhere:
            if rule_allows(granted.rule, wanted):
                return granted.reason
        if wanted.resource and wanted.namespace:
            for granted in rules.inside.get(wanted.namespace, ()):
                if rule_allows(granted.rule, wanted):
                    return granted.reason
        return None

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether the user may."""
        return self.decide(user, wanted) is not None

    def check(self, user: User, wanted: Attributes) -> None:
        """Let the user do it.

        Raises:
            StatusError: 403 in Kubernetes' words.
        """
        if self.decide(user, wanted) is None:
            raise refusal(user, wanted)

    def rules_in(self, user: User, namespace: str) -> list[dict[str, Any]]:
        """Every rule that the user has in a namespace ("": in all of them)."""
        rules = self._rules(user)
        found = [each.rule for each in (*rules.everywhere, *rules.inside.get(namespace, ()))]
        return [EVERYTHING, EVERY_PATH, *found] if MASTERS in user.groups else found

    def role_rules(self, reference: dict[str, Any], namespace: str) -> list[dict[str, Any]] | None:
        """The rules of the role that a binding refers to; None where there is no such role."""
        collection = CLUSTER_ROLES if reference.get("kind") == "ClusterRole" else ROLES
        if collection == ROLES and not namespace:
            return None
        key = Key(collection, "" if collection == CLUSTER_ROLES else namespace, reference.get("name") or "")
        entry = self._cache.get(key)
        try:
            return None if entry is None else list(entry.object.get("rules") or ())
        except DecodeError:
            return None

    def _rules(self, user: User) -> _Rules:
        seen = tuple(
            self._cache.collection(name).revision for name in (ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS)
        )
        if seen != self._seen or len(self._granted) > _USERS_REMEMBERED:
            self._granted.clear()
            self._seen = seen
        who = (user.name, user.groups)
        found = self._granted.get(who)
        if found is None:
            found = self._granted[who] = self._gather(user)
        return found

    def _gather(self, user: User) -> _Rules:
        everywhere: list[Granted] = []
        for binding in self._objects(CLUSTER_BINDINGS):
            everywhere += self._granted_by(binding, user, "")
        inside: dict[str, list[Granted]] = {}
        for binding in self._objects(BINDINGS):
            namespace = binding["metadata"].get("namespace", "")
            found = self._granted_by(binding, user, namespace)
            if found:
                inside.setdefault(namespace, []).extend(found)
        return _Rules(everywhere, inside)

    def _granted_by(self, binding: Object, user: User, namespace: str) -> list[Granted]:
        subject = _subject_of(binding, user)
        if not subject:
            return []
        role = binding.get("roleRef") or {}
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        name = f"{binding['metadata']['name']}/{namespace}" if namespace else binding["metadata"]["name"]
        reason = f'RBAC: allowed by {kind} "{name}" of {role.get("kind")} "{role.get("name")}" to {subject}'
        return [Granted(rule, reason) for rule in self.role_rules(role, namespace) or ()]

    def _objects(self, collection: str) -> Iterator[Object]:
        for entry in self._cache.collection(collection).select():
            try:
                yield entry.object
            except DecodeError:
                continue


def chosen_name(verb: str, name: str, field_selector: str) -> str:
    """The one object that a request is about: a list of `metadata.name=x` is about x, and allowed by that name."""
    if name or not field_selector or verb not in _OF_MANY:
        return name
    try:
        return FieldSelector.parse(field_selector).value_of("metadata.name") or ""
    except ValueError:
        return ""


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


def _subject_of(binding: Object, user: User) -> str:
    """As which subject of a binding the user has it; "" for none."""
    for subject in binding.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        if kind == "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            if user.name == f"system:serviceaccount:{namespace}:{name}":
                return f'ServiceAccount "{name}/{namespace}"'
    return ""


def refusal(user: User, wanted: Attributes) -> StatusError:
    """403 as Kubernetes says it."""
    if not wanted.resource:
        return forbidden("", "", "", f'User "{user.name}" cannot {wanted.verb} path "{wanted.path}"')
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    detail = (
        f'User "{user.name}" cannot {wanted.verb} resource "{wanted.resource}" in API group "{wanted.group}" {where}'
    )
    return forbidden(wanted.resource.partition("/")[0], wanted.group, wanted.name, detail)
