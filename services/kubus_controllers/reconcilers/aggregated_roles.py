"""Aggregated ClusterRoles: the rules of a role with an `aggregationRule` are those of the roles it selects.

Each rule comes in once, in the order of the roles' names; whatever stood in `rules` before is replaced.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubus.machinery.plans import CONVERGED, Controller, Patch, Plan, View, Watch
from kubus.model.kinds.clusterroles import KIND as CLUSTER_ROLES
from kubus.model.objects import Key, Object, is_deleting, labels_of, name_of, path_of
from kubus.model.selectors import LabelSelector


def reconcile(role: Object, view: View, now: datetime) -> Plan:
    """The rules that the role should have and has not."""
    selectors = _selectors(role)
    if not selectors or is_deleting(role):
        return CONVERGED
    rules: list[Any] = []
    for other in sorted(view.list(CLUSTER_ROLES), key=name_of):
        if name_of(other) != name_of(role) and any(each.matches(labels_of(other)) for each in selectors):
            rules += [rule for rule in other.get("rules") or () if rule not in rules]
    if rules == (role.get("rules") or []):
        return CONVERGED
    return Plan((Patch(CLUSTER_ROLES, "", name_of(role), {"rules": rules}),))


def _selectors(role: Object) -> list[LabelSelector]:
    found = []
    for each in path_of(role, "aggregationRule", "clusterRoleSelectors", default=()):
        try:
            found.append(LabelSelector.from_object(each))
        except ValueError:
            continue  # one that cannot be read selects nothing
    return found


def _wholes(role: Object, view: View) -> list[Key]:
    """The roles of which a changed one is a part."""
    return [
        Key(CLUSTER_ROLES.collection, "", name_of(each))
        for each in view.list(CLUSTER_ROLES)
        if any(selector.matches(labels_of(role)) for selector in _selectors(each))
    ]


CONTROLLER = Controller(
    name="clusterrole-aggregation-controller",
    reconciles=CLUSTER_ROLES,
    reconcile=reconcile,
    watches=(Watch(CLUSTER_ROLES, _wholes),),
)
