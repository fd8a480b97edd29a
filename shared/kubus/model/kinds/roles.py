"""Roles."""

from __future__ import annotations

from kubus.model.cells import CREATED, NAME
from kubus.model.kinds import Kind
from kubus.model.validation.rbac import role_errors

KIND = Kind(
    group="rbac.authorization.k8s.io",
    version="v1",
    name="Role",
    plural="roles",
    namespaced=True,
    schema="io.k8s.api.rbac.v1.Role",
    create_on_update=True,
    name_check="path_segment",
    rules=(role_errors,),
    columns=(
        NAME,
        CREATED,
    ),
)
