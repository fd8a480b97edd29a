"""RuntimeClasses."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at
from kubus.model.errors import FieldError, invalid
from kubus.model.kinds import Column, Kind
from kubus.model.names import dns_label_errors
from kubus.model.objects import Object
from kubus.model.validation.values import immutable


def runtime_class_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """It names a handler, for ever the same."""
    handler = obj.get("handler") or ""
    errors = [invalid("handler", handler, each) for each in dns_label_errors(handler)]
    return errors + (immutable(handler, old.get("handler") or "", "handler") if old is not None else [])


KIND = Kind(
    group="node.k8s.io",
    version="v1",
    name="RuntimeClass",
    plural="runtimeclasses",
    namespaced=False,
    schema="io.k8s.api.node.v1.RuntimeClass",
    rules=(runtime_class_errors,),
    columns=(
        NAME,
        Column("Handler", at("handler"), description="What runs its pods."),
        AGE,
    ),
)
