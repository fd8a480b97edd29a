"""ResourceClaimTemplates."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME
from kubus.model.kinds import Kind

KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    name="ResourceClaimTemplate",
    plural="resourceclaimtemplates",
    namespaced=True,
    schema="io.k8s.api.resource.v1.ResourceClaimTemplate",
    columns=(
        NAME,
        AGE,
    ),
)
