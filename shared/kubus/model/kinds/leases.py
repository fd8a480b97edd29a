"""Leases."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, at
from kubus.model.errors import FieldError, invalid
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object


def lease_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """A lease lasts for some time, and never changes hands a negative number of times."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        errors.append(invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"))
    if transitions is not None and transitions < 0:
        errors.append(invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
    return errors


KIND = Kind(
    group="coordination.k8s.io",
    version="v1",
    name="Lease",
    plural="leases",
    namespaced=True,
    schema="io.k8s.api.coordination.v1.Lease",
    create_on_update=True,
    rules=(lease_errors,),
    columns=(NAME, Column("Holder", at("spec", "holderIdentity"), description="Who holds it."), AGE),
)
