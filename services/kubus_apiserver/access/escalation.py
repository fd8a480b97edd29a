"""Nobody grants more than they have.

Who writes a role must hold every right in it already, or be allowed to `escalate`; who writes a binding must hold every
right of the role it grants, or be allowed to `bind` it. A change of a label counts: it may make a role part of another.
Rights are compared one by one: each single verb on a single resource of a group (and each name) must be covered by a
rule that the user has in that namespace.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kubus.model.codec import to_json
from kubus.model.errors import forbidden, not_found
from kubus.model.objects import Object
from kubus_apiserver.access.authorization import (
    BINDINGS,
    CLUSTER_BINDINGS,
    CLUSTER_ROLES,
    EVERY_PATH,
    EVERYTHING,
    ROLES,
    Attributes,
    Authorizer,
)
from kubus_apiserver.admission import Proposal
from kubus_apiserver.calls import User
from kubus_apiserver.reading.watchcache import WatchCache

Rule = dict[str, Any]
_COLLECTORS = frozenset({"ownerReferences", "finalizers", "managedFields", "resourceVersion", "generation"})
_GROUP = "rbac.authorization.k8s.io"
_RESOURCES = {
    ROLES: "roles",
    CLUSTER_ROLES: "clusterroles",
    BINDINGS: "rolebindings",
    CLUSTER_BINDINGS: "clusterrolebindings",
}


class Escalation:
    """The validator of writes to roles and bindings."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def __call__(self, proposal: Proposal, _cache: WatchCache) -> None:
        """Refuse a role or binding that grants what its writer does not have.

        Raises:
            StatusError: 403.
        """
        collection = proposal.kind.collection
        if proposal.verb == "delete" or collection not in _RESOURCES:
            return
        if collection in (ROLES, CLUSTER_ROLES):
            self._check_role(proposal)
        else:
            self._check_binding(proposal)

    def _check_role(self, proposal: Proposal) -> None:
        obj, old = proposal.object, proposal.old
        same = old is not None and _only_collected(obj, old)
        if same or self._may("escalate", proposal, obj["metadata"].get("name") or "", proposal.kind.plural):
            return
        if obj.get("aggregationRule") or (old is not None and old.get("aggregationRule")):
            self._covered(
                proposal, [EVERYTHING, EVERY_PATH], "must have cluster-admin privileges to use the aggregationRule"
            )
        self._covered(proposal, obj.get("rules") or [])

    def _check_binding(self, proposal: Proposal) -> None:
        obj, old = proposal.object, proposal.old
        if old is not None and _only_collected(obj, old):
            return
        role = obj.get("roleRef") or {}
        resource = "clusterroles" if role.get("kind") == "ClusterRole" else "roles"
        if self._may("bind", proposal, role.get("name") or "", resource):
            return
        rules = self._authorizer.role_rules(role, _namespace(obj))
        if rules is None:
            raise not_found(resource, _GROUP, role.get("name") or "")
        self._covered(proposal, rules)

    def _may(self, verb: str, proposal: Proposal, name: str, resource: str) -> bool:
        wanted = Attributes(verb, _GROUP, resource, _namespace(proposal.object), name)
        return self._authorizer.allows(proposal.user, wanted)

    def _covered(self, proposal: Proposal, rules: Sequence[Rule], instead: str = "") -> None:
        obj = proposal.object
        missing = uncovered(self._authorizer.rules_in(proposal.user, _namespace(obj)), rules)
        if missing:
            detail = instead or refusal_text(proposal.user, missing)
            raise forbidden(proposal.kind.plural, _GROUP, obj["metadata"].get("name") or "", detail)


def _namespace(obj: Object) -> str:
    return obj["metadata"].get("namespace") or ""


def _only_collected(obj: Object, old: Object) -> bool:
    """Whether a change is only what garbage collection needs. Labels are more: roles are aggregated by them."""
    return _without_owners(obj) == _without_owners(old)


def _without_owners(obj: Object) -> Object:
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k not in _COLLECTORS}}


def uncovered(owned: Sequence[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The single rights of the wanted rules that no owned rule covers."""
    return [each for rule in wanted for each in single_rights(rule) if not any(covers(mine, each) for mine in owned)]


def single_rights(rule: Rule) -> Iterator[Rule]:
    """A rule taken apart: one verb on one resource of one group (under one name), or on one path."""
    for verb in rule.get("verbs") or ():
        for path in rule.get("nonResourceURLs") or ():
            yield {"verbs": [verb], "nonResourceURLs": [path]}
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                right: Rule = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                names = rule.get("resourceNames") or ()
                if not names:
                    yield right
                for name in names:
                    yield {**right, "resourceNames": [name]}


def covers(mine: Rule, right: Rule) -> bool:
    """Whether a rule includes a single right."""
    verb, verbs = right["verbs"][0], mine.get("verbs") or ()
    if verb not in verbs and "*" not in verbs:
        return False
    if "nonResourceURLs" in right:
        return any(_path_covers(pattern, right["nonResourceURLs"][0]) for pattern in mine.get("nonResourceURLs") or ())
    group, groups = right["apiGroups"][0], mine.get("apiGroups") or ()
    if group not in groups and "*" not in groups:
        return False
    resource, resources = right["resources"][0], mine.get("resources") or ()
    _, slash, subresource = resource.partition("/")
    if resource not in resources and "*" not in resources and not (slash and f"*/{subresource}" in resources):
        return False
    names = mine.get("resourceNames") or ()
    return not names or (bool(right.get("resourceNames")) and right["resourceNames"][0] in names)


def _path_covers(pattern: str, path: str) -> bool:
    return pattern == path or (pattern.endswith("*") and path.rstrip("*").startswith(pattern.rstrip("*")))


def refusal_text(user: User, missing: Sequence[Rule]) -> str:
    """As Kubernetes says it."""
    groups = " ".join(_quoted(each) for each in user.groups)
    lines = "\n".join(sorted({compact(each) for each in _merged(missing)}))
    who = f"user {_quoted(user.name)} (groups=[{groups}])"
    return f"{who} is attempting to grant RBAC permissions not currently held:\n{lines}"


def _merged(rights: Sequence[Rule]) -> list[Rule]:
    """Single rights that differ only in their verbs, as one rule."""
    merged: dict[tuple[Any, ...], Rule] = {}
    for right in rights:
        key = tuple(
            tuple(right.get(field) or ()) for field in ("apiGroups", "resources", "resourceNames", "nonResourceURLs")
        )
        found = merged.setdefault(key, {**right, "verbs": []})
        if right["verbs"][0] not in found["verbs"]:
            found["verbs"] = [*found["verbs"], right["verbs"][0]]
    return list(merged.values())


def compact(rule: Rule) -> str:
    """`{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`."""
    fields = (
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("ResourceNames", "resourceNames"),
        ("Verbs", "verbs"),
    )
    shown = [f"{name}:[{' '.join(_quoted(each) for each in rule[field])}]" for name, field in fields if rule.get(field)]
    return f"{{{', '.join(shown)}}}"


def _quoted(text: str) -> str:
    return to_json(text).decode()
