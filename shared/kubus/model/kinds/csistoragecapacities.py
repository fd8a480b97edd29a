"""CSIStorageCapacities."""

from __future__ import annotations

from kubus.model.cells import NAME, UNSET, at
from kubus.model.kinds import Column, Kind

KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    name="CSIStorageCapacity",
    plural="csistoragecapacities",
    namespaced=True,
    schema="io.k8s.api.storage.v1.CSIStorageCapacity",
    columns=(
        NAME,
        Column("StorageClassName", at("storageClassName"), description="The class it is about."),
        Column("Capacity", at("capacity", default=UNSET), description="How much is left."),
    ),
)
