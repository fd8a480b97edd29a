"""DeviceClasses."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME
from kubus.model.kinds import Kind

KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    name="DeviceClass",
    plural="deviceclasses",
    namespaced=False,
    schema="io.k8s.api.resource.v1.DeviceClass",
    generation=True,
    columns=(
        NAME,
        AGE,
    ),
)
