"""DeviceTaintRules."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME
from kubus.model.kinds import Kind

KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    name="DeviceTaintRule",
    plural="devicetaintrules",
    namespaced=False,
    schema="io.k8s.api.resource.v1.DeviceTaintRule",
    status=True,
    generation=True,
    columns=(
        NAME,
        AGE,
    ),
)
