"""RoleBindings: ClusterRoleBindings within a namespace."""

from __future__ import annotations

from dataclasses import replace

from kubus.model.kinds.clusterrolebindings import KIND as CLUSTER_ROLE_BINDINGS

KIND = replace(
    CLUSTER_ROLE_BINDINGS,
    name="RoleBinding",
    plural="rolebindings",
    namespaced=True,
    schema="io.k8s.api.rbac.v1.RoleBinding",
)
