"""VolumeAttachments."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at
from kubus.model.errors import FieldError
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object
from kubus.model.validation.values import immutable, required_text


def attachment_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """Attacher and node are named, and the whole never changes."""
    spec = obj.get("spec") or {}
    errors = required_text(spec.get("attacher"), "spec.attacher") + required_text(spec.get("nodeName"), "spec.nodeName")
    return errors + (immutable(spec, old.get("spec") or {}, "spec") if old is not None else [])


KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    name="VolumeAttachment",
    plural="volumeattachments",
    namespaced=False,
    schema="io.k8s.api.storage.v1.VolumeAttachment",
    status=True,
    rules=(attachment_errors,),
    columns=(
        NAME,
        Column("Attacher", at("spec", "attacher"), description="The driver that attaches it."),
        Column("PV", at("spec", "source", "persistentVolumeName"), description="The volume."),
        Column("Node", at("spec", "nodeName"), description="The node."),
        Column("Attached", at("status", "attached", default=False), "boolean", description="Whether it is attached."),
        AGE,
    ),
)
