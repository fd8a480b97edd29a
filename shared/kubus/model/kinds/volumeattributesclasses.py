"""VolumeAttributesClasses."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at, plain
from kubus.model.errors import FieldError, forbidden_field
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, annotations_of, name_of
from kubus.model.validation.values import required_text

DEFAULT_CLASS = "volumeattributesclass.alpha.kubernetes.io/is-default-class"


def attributes_class_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """It names its driver, and never changes."""
    errors = required_text(obj.get("driverName"), "driverName")
    for key in ("driverName", "parameters") if old is not None else ():
        if obj.get(key) != (old or {}).get(key):
            errors.append(forbidden_field(key, f"updates to {key} are forbidden."))
    return errors


def _name(obj: Object) -> str:
    return name_of(obj) + (" (default)" if annotations_of(obj).get(DEFAULT_CLASS) == "true" else "")


KIND = Kind(
    group="storage.k8s.io",
    version="v1",
    name="VolumeAttributesClass",
    plural="volumeattributesclasses",
    namespaced=False,
    schema="io.k8s.api.storage.v1.VolumeAttributesClass",
    short_names=("vac",),
    rules=(attributes_class_errors,),
    columns=(
        Column("Name", plain(_name), format="name", description=NAME.description),
        Column("DriverName", at("driverName"), description="The driver it is for."),
        AGE,
    ),
)
