"""ClusterRoles."""

from __future__ import annotations

from kubus.model.cells import CREATED, NAME
from kubus.model.kinds import Kind
from kubus.model.validation.rbac import cluster_role_errors

KIND = Kind(
    group="rbac.authorization.k8s.io",
    version="v1",
    name="ClusterRole",
    plural="clusterroles",
    namespaced=False,
    schema="io.k8s.api.rbac.v1.ClusterRole",
    create_on_update=True,
    name_check="path_segment",
    rules=(cluster_role_errors,),
    columns=(
        NAME,
        CREATED,
    ),
)
