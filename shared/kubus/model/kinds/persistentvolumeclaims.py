"""PersistentVolumeClaims."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, UNSET, at, plain
from kubus.model.defaults.storage import access_modes_text, set_claim_defaults
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, is_deleting, path_of
from kubus.model.validation.storage import claim_errors


def prepare(obj: Object, old: Object | None) -> None:
    """A new one is Pending."""
    if old is None:
        obj["status"] = {"phase": "Pending"}


def _phase(obj: Object) -> str:
    return "Terminating" if is_deleting(obj) else path_of(obj, "status", "phase", default="")


def _capacity(obj: Object) -> str:
    return path_of(obj, "status", "capacity", "storage", default="0") if path_of(obj, "spec", "volumeName") else ""


def _modes(obj: Object) -> str:
    bound = path_of(obj, "spec", "volumeName")
    return access_modes_text(path_of(obj, "status", "accessModes", default=())) if bound else ""


KIND = Kind(
    group="",
    version="v1",
    name="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    namespaced=True,
    schema="io.k8s.api.core.v1.PersistentVolumeClaim",
    short_names=("pvc",),
    status=True,
    defaults=set_claim_defaults,
    prepare=prepare,
    rules=(claim_errors,),
    columns=(
        NAME,
        Column("Status", plain(_phase), description="Its phase."),
        Column("Volume", at("spec", "volumeName"), description="The volume that it is bound to."),
        Column("Capacity", plain(_capacity), description="How much the volume holds."),
        Column("Access Modes", plain(_modes), description="How it may be mounted."),
        Column("StorageClass", at("spec", "storageClassName"), description="Its class."),
        Column(
            "VolumeAttributesClass",
            at("spec", "volumeAttributesClassName", default=UNSET),
            description="Its class of attributes.",
        ),
        AGE,
        Column(
            "VolumeMode",
            at("spec", "volumeMode", default=UNSET),
            priority=1,
            description="File system or block device.",
        ),
    ),
)
