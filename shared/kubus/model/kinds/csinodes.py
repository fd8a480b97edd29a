"""CSINodes."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, count
from kubus.model.kinds import Column, Kind

KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    name="CSINode",
    plural="csinodes",
    namespaced=False,
    schema="io.k8s.api.storage.v1.CSINode",
    columns=(
        NAME,
        Column("Drivers", count("spec", "drivers"), "integer", description="Drivers on the node."),
        AGE,
    ),
)
