"""Volumes, claims and storage classes.

Follows pkg/apis/core/validation and pkg/apis/storage/validation.
"""

from __future__ import annotations

from kubus.model.defaults.storage import ACCESS_MODES
from kubus.model.errors import FieldError, forbidden_field, invalid, not_supported, required
from kubus.model.objects import Object, path_of
from kubus.model.quantities import parse_quantity
from kubus.model.validation.selectors import label_selector_errors
from kubus.model.validation.values import immutable, one_of, required_text, size_errors

NO_SOURCE = frozenset(
    (
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    )
)
MODES = tuple(sorted(ACCESS_MODES))
RECLAIM = ("Delete", "Recycle", "Retain")
GROWS_ONLY = "field can not be less than status.capacity"
CLAIM_CHANGES = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def persistent_volume_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a volume: capacity, access modes, exactly one source that stays the same."""
    spec = obj.get("spec") or {}
    errors = _access_mode_errors(spec.get("accessModes") or [], "spec")
    capacity = spec.get("capacity") or {}
    if not capacity:
        errors.append(required("spec.capacity"))
    elif set(capacity) != {"storage"}:
        errors.append(not_supported("spec.capacity", capacity, ("storage",)))
    else:
        errors += size_errors(capacity["storage"], "spec.capacity[storage]")
    errors += one_of(spec.get("persistentVolumeReclaimPolicy"), "spec.persistentVolumeReclaimPolicy", RECLAIM)
    sources = [key for key in spec if key not in NO_SOURCE]
    if not sources:
        errors.append(required("spec", "must specify a volume type"))
    errors += [forbidden_field(f"spec.{key}", "may not specify more than 1 volume type") for key in sources[1:]]
    if old is not None:
        before = old.get("spec") or {}
        if any(spec.get(key) != before.get(key) for key in {*sources, *(before.keys() - NO_SOURCE)}):
            detail = "spec.persistentvolumesource is immutable after creation"
            errors.append(forbidden_field("spec.persistentvolumesource", detail))
        errors += immutable(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
    return errors


def _access_mode_errors(modes: list[str], path: str) -> list[FieldError]:
    path = f"{path}.accessModes"
    errors = [] if modes else [required(path, "at least 1 access mode is required")]
    errors += [not_supported(path, mode, MODES) for mode in modes if mode not in ACCESS_MODES]
    if len(modes) > 1 and "ReadWriteOncePod" in modes:
        detail = "may not use ReadWriteOncePod with other access modes"
        errors.append(forbidden_field(path, detail))
    return errors


def claim_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a claim: access modes, a size that only grows, nothing else that changes."""
    spec = obj.get("spec") or {}
    errors = claim_spec_errors(spec, "spec")
    return errors + (_claim_change_errors(spec, old) if old is not None else [])


def claim_spec_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with the spec of a claim, or of a template for claims."""
    errors = _access_mode_errors(spec.get("accessModes") or [], path)
    size = path_of(spec, "resources", "requests", "storage")
    if size is None:
        errors.append(required(f"{path}.resources[storage]"))
    else:
        errors += size_errors(size, f"{path}.resources[storage]")
    errors += label_selector_errors(spec.get("selector"), f"{path}.selector")
    return errors + one_of(spec.get("volumeMode"), f"{path}.volumeMode", ("Block", "Filesystem"))


def _claim_change_errors(spec: Object, old: Object) -> list[FieldError]:
    before = old.get("spec") or {}
    loose = {"resources", "volumeAttributesClassName"} | (set() if before.get("volumeName") else {"volumeName"})
    if any(spec.get(key) != before.get(key) for key in (spec.keys() | before.keys()) - loose):
        return [forbidden_field("spec", CLAIM_CHANGES)]
    new, had = (path_of(each, "resources", "requests", "storage", default="0") for each in (spec, before))
    if parse_quantity(new) < parse_quantity(had):
        held = path_of(old, "status", "capacity", "storage", default=had)
        if parse_quantity(new) < parse_quantity(held):
            return [forbidden_field("spec.resources.requests.storage", GROWS_ONLY)]
    return []


def storage_class_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a storage class; most of it never changes."""
    errors = required_text(obj.get("provisioner"), "provisioner")
    errors += one_of(obj.get("reclaimPolicy"), "reclaimPolicy", ("Delete", "Retain"))
    errors += one_of(obj.get("volumeBindingMode"), "volumeBindingMode", ("Immediate", "WaitForFirstConsumer"))
    if len(obj.get("parameters") or ()) > 512:
        errors.append(invalid("parameters", len(obj["parameters"]), "must have at most 512 items"))
    if old is None:
        return errors
    if (obj.get("parameters") or {}) != (old.get("parameters") or {}):
        errors.append(forbidden_field("parameters", "updates to parameters are forbidden."))
    if obj.get("provisioner") != old.get("provisioner"):
        errors.append(forbidden_field("provisioner", "updates to provisioner are forbidden."))
    for key in ("reclaimPolicy", "volumeBindingMode"):
        errors += immutable(obj.get(key), old.get(key), key)
    return errors
