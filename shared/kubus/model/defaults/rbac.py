"""Defaults and texts of role bindings."""

from __future__ import annotations

from kubus.model.objects import Object

GROUP = "rbac.authorization.k8s.io"


def set_binding_defaults(obj: Object) -> None:
    """Roles, users and groups are of RBAC's own API group; service accounts of the core's."""
    role = obj.get("roleRef")
    if isinstance(role, dict):
        role["apiGroup"] = role.get("apiGroup") or GROUP
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = subject.get("apiGroup") or GROUP


def role_text(obj: Object) -> str:
    """`ClusterRole/admin`."""
    role = obj.get("roleRef") or {}
    return f"{role.get('kind', '')}/{role.get('name', '')}"


def subjects_text(obj: Object, kind: str) -> str:
    """The subjects of one kind: `alice, bob`, `default/builder`."""
    named = [each for each in obj.get("subjects") or () if each.get("kind") == kind]
    if kind == "ServiceAccount":
        return ", ".join(f"{each.get('namespace', '')}/{each.get('name', '')}" for each in named)
    return ", ".join(each.get("name", "") for each in named)
