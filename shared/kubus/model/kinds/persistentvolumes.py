"""PersistentVolumes."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, UNSET, at, plain
from kubus.model.defaults.storage import access_modes_text
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, is_deleting, path_of
from kubus.model.validation.storage import persistent_volume_errors


def set_defaults(obj: Object) -> None:
    """Kept when released; holds a file system."""
    spec = obj.setdefault("spec", {})
    spec["persistentVolumeReclaimPolicy"] = spec.get("persistentVolumeReclaimPolicy") or "Retain"
    spec.setdefault("volumeMode", "Filesystem")
    if isinstance(spec.get("hostPath"), dict):
        spec["hostPath"].setdefault("type", "")


def prepare(obj: Object, old: Object | None) -> None:
    """A new one is Pending until the controller has seen it."""
    if old is None:
        obj["status"] = {"phase": "Pending"}


def _claim(obj: Object) -> str:
    claim = path_of(obj, "spec", "claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


def _phase(obj: Object) -> str:
    return "Terminating" if is_deleting(obj) else path_of(obj, "status", "phase", default="")


KIND = Kind(
    group="",
    version="v1",
    name="PersistentVolume",
    plural="persistentvolumes",
    namespaced=False,
    schema="io.k8s.api.core.v1.PersistentVolume",
    short_names=("pv",),
    status=True,
    defaults=set_defaults,
    prepare=prepare,
    rules=(persistent_volume_errors,),
    columns=(
        NAME,
        Column("Capacity", at("spec", "capacity", "storage", default="0"), description="How much it holds."),
        Column(
            "Access Modes",
            plain(lambda obj: access_modes_text(path_of(obj, "spec", "accessModes", default=()))),
            description="How it may be mounted.",
        ),
        Column(
            "Reclaim Policy",
            at("spec", "persistentVolumeReclaimPolicy"),
            description="What becomes of it once it is released.",
        ),
        Column("Status", plain(_phase), description="Its phase."),
        Column("Claim", plain(_claim), description="The claim that holds it."),
        Column("StorageClass", at("spec", "storageClassName"), description="Its class."),
        Column(
            "VolumeAttributesClass",
            at("spec", "volumeAttributesClassName", default=UNSET),
            description="Its class of attributes.",
        ),
        Column("Reason", at("status", "reason"), description="Why it is in its phase."),
        AGE,
        Column(
            "VolumeMode",
            at("spec", "volumeMode", default=UNSET),
            priority=1,
            description="File system or block device.",
        ),
    ),
)
