"""StorageVersionMigrations."""

from __future__ import annotations

from kubus.model.cells import NAME, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of


def _resource(obj: Object) -> str:
    resource = path_of(obj, "spec", "resource", default={})
    return ".".join(filter(None, (resource.get("resource"), resource.get("group"))))


KIND = Kind(
    group="storagemigration.k8s.io",
    version="v1",
    name="StorageVersionMigration",
    plural="storageversionmigrations",
    namespaced=False,
    schema="io.k8s.api.storagemigration.v1.StorageVersionMigration",
    status=True,
    columns=(
        NAME,
        Column("Resource", plain(_resource), description="What is to be stored anew."),
    ),
)
