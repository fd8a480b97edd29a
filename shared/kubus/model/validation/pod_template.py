"""The pod template of a workload."""

from __future__ import annotations

from kubus.model.errors import FieldError, forbidden_field
from kubus.model.objects import Object
from kubus.model.validation.metadata import annotations_errors, labels_errors
from kubus.model.validation.pod_spec import pod_spec_errors


def template_errors(template: Object, path: str) -> list[FieldError]:
    """What is wrong with a pod template: labels, annotations and spec."""
    meta = template.get("metadata") or {}
    errors = labels_errors(meta.get("labels"), f"{path}.labels")
    errors += annotations_errors(meta.get("annotations"), f"{path}.annotations")
    spec = template.get("spec") or {}
    errors += pod_spec_errors(spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        at = f"{path}.spec.ephemeralContainers"
        errors.append(forbidden_field(at, "ephemeral containers not allowed in pod template"))
    return errors
