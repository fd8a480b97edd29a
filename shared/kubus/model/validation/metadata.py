"""Metadata: names, labels, annotations, owners and finalizers; the same rules for every kind.

Follows apimachinery's pkg/api/validation/objectmeta.go.
"""

from __future__ import annotations

from typing import Any

from kubus.model.errors import FieldError, forbidden_field, invalid, required, too_long
from kubus.model.kinds import Kind
from kubus.model.names import dns_label_errors, generate_name_errors, label_key_errors, label_value_errors, name_errors
from kubus.model.objects import Object, is_deleting, metadata

ANNOTATIONS_BYTES_MAX = 256 * 1024
IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp")
STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")
UNQUALIFIED = "name is neither a standard finalizer name nor is it fully qualified"


def metadata_errors(kind: Kind, obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with an object's metadata; what an update leaves as it was is not looked at again."""
    meta, before = metadata(obj), {} if old is None else metadata(old)
    errors = _name_errors(kind, meta) + _namespace_errors(kind, meta) if old is None else []
    labels, annotations = meta.get("labels"), meta.get("annotations")
    if labels and labels != before.get("labels"):
        errors += labels_errors(labels, "metadata.labels")
    if annotations and annotations != before.get("annotations"):
        errors += annotations_errors(annotations, "metadata.annotations")
    owners, finalizers = meta.get("ownerReferences"), meta.get("finalizers")
    if owners and owners != before.get("ownerReferences"):
        errors += _owner_errors(owners)
    if finalizers and finalizers != before.get("finalizers"):
        errors += _finalizer_errors(finalizers, custom=kind.custom is not None)
    if old is not None:
        errors += _update_errors(meta, old)
    return errors


def _name_errors(kind: Kind, meta: dict[str, Any]) -> list[FieldError]:
    errors: list[FieldError] = []
    prefix, name = meta.get("generateName") or "", meta.get("name") or ""
    if prefix:
        found = generate_name_errors(kind.name_check, prefix)
        errors += [invalid("metadata.generateName", prefix, each) for each in found]
    if name:
        errors += [invalid("metadata.name", name, each) for each in name_errors(kind.name_check, name)]
    else:
        errors.append(required("metadata.name", "name or generateName is required"))
    return errors


def _namespace_errors(kind: Kind, meta: dict[str, Any]) -> list[FieldError]:
    namespace = meta.get("namespace") or ""
    if not kind.namespaced:
        return [forbidden_field("metadata.namespace", "not allowed on this type")] if namespace else []
    if not namespace:
        return [required("metadata.namespace")]
    return [invalid("metadata.namespace", namespace, each) for each in dns_label_errors(namespace)]


def labels_errors(labels: dict[str, str] | None, path: str) -> list[FieldError]:
    """What is wrong with a map of labels."""
    errors: list[FieldError] = []
    for key, value in (labels or {}).items():
        errors += [invalid(path, key, each) for each in label_key_errors(key)]
        errors += [invalid(path, value, each) for each in label_value_errors(value)]
    return errors


def annotations_errors(annotations: dict[str, str] | None, path: str) -> list[FieldError]:
    """What is wrong with a map of annotations: keys, and the size of all together."""
    errors: list[FieldError] = []
    size = 0
    for key, value in (annotations or {}).items():
        errors += [invalid(path, key, each) for each in label_key_errors(key.lower())]
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_BYTES_MAX:
        errors.append(too_long(path, ANNOTATIONS_BYTES_MAX))
    return errors


def _owner_errors(references: list[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    controllers = []
    for reference in references:
        path = "metadata.ownerReferences"
        version = (reference.get("apiVersion") or "").rpartition("/")[2]
        if not version:
            errors.append(invalid(f"{path}.apiVersion", reference.get("apiVersion") or "", "version must not be empty"))
        for key in ("kind", "name", "uid"):
            if not reference.get(key):
                errors.append(invalid(f"{path}.{key}", reference.get(key) or "", "must not be empty"))
        if reference.get("apiVersion") == "v1" and reference.get("kind") == "Event":
            errors.append(invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner"))
        if reference.get("controller"):
            controllers.append(f"{reference.get('kind')}/{reference.get('name')}")
    if len(controllers) > 1:
        detail = (
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{controllers[0]} and {controllers[1]}"
        )
        errors.append(invalid("metadata.ownerReferences", references, detail))
    return errors


def _finalizer_errors(finalizers: list[str], *, custom: bool) -> list[FieldError]:
    """Built-in kinds take qualified names and three of Kubernetes' own; custom resources any name."""
    errors: list[FieldError] = []
    for finalizer in finalizers:
        errors += [invalid("metadata.finalizers", finalizer, each) for each in label_key_errors(finalizer)]
    for index, finalizer in enumerate(() if custom else finalizers):
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            errors.append(invalid(f"metadata.finalizers[{index}]", finalizer, UNQUALIFIED))
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(invalid("metadata.finalizers", finalizers, detail))
    return errors


def _update_errors(meta: dict[str, Any], old: Object) -> list[FieldError]:
    before = metadata(old)
    errors = [
        invalid(f"metadata.{key}", meta.get(key) or "", "field is immutable")
        for key in IMMUTABLE
        if (meta.get(key) or "") != (before.get(key) or "")
    ]
    if is_deleting(old):
        new = sorted(set(meta.get("finalizers") or ()) - set(before.get("finalizers") or ()))
        if new:
            shown = ", ".join(f'"{each}"' for each in new)
            detail = (
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{shown}}}"
            )
            errors.append(forbidden_field("metadata.finalizers", detail))
    return errors
