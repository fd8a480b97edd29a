"""ClusterRoleBindings."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, plain
from kubus.model.defaults.rbac import role_text, set_binding_defaults, subjects_text
from kubus.model.kinds import Column, Kind
from kubus.model.validation.rbac import binding_errors

KIND = Kind(
    group="rbac.authorization.k8s.io",
    version="v1",
    name="ClusterRoleBinding",
    plural="clusterrolebindings",
    namespaced=False,
    schema="io.k8s.api.rbac.v1.ClusterRoleBinding",
    create_on_update=True,
    name_check="path_segment",
    defaults=set_binding_defaults,
    rules=(binding_errors,),
    columns=(
        NAME,
        Column("Role", plain(role_text), description="The role that is granted."),
        AGE,
        Column(
            "Users", plain(lambda obj: subjects_text(obj, "User")), priority=1, description="Users it is granted to."
        ),
        Column(
            "Groups", plain(lambda obj: subjects_text(obj, "Group")), priority=1, description="Groups it is granted to."
        ),
        Column(
            "ServiceAccounts",
            plain(lambda obj: subjects_text(obj, "ServiceAccount")),
            priority=1,
            description="Service accounts it is granted to.",
        ),
    ),
)
