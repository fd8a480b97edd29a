"""StorageClasses."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, annotations_of, name_of
from kubus.model.validation.storage import storage_class_errors

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def set_defaults(obj: Object) -> None:
    """Volumes are deleted when released, and bound at once."""
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def _name(obj: Object) -> str:
    return name_of(obj) + (" (default)" if annotations_of(obj).get(DEFAULT_CLASS) == "true" else "")


KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    name="StorageClass",
    plural="storageclasses",
    namespaced=False,
    schema="io.k8s.api.storage.v1.StorageClass",
    short_names=("sc",),
    defaults=set_defaults,
    rules=(storage_class_errors,),
    columns=(
        Column("Name", plain(_name), format="name", description=NAME.description),
        Column("Provisioner", at("provisioner"), description="Who makes its volumes."),
        Column(
            "ReclaimPolicy", at("reclaimPolicy", default="Delete"), description="What becomes of volumes once released."
        ),
        Column("VolumeBindingMode", at("volumeBindingMode", default="Immediate"), description="When claims are bound."),
        Column(
            "AllowVolumeExpansion", at("allowVolumeExpansion", default=False), description="Whether volumes may grow."
        ),
        AGE,
    ),
)
