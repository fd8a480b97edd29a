"""ResourceClaims."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, is_deleting, path_of


def _state(obj: Object) -> str:
    words = [
        "deleted" if is_deleting(obj) else "",
        "allocated" if path_of(obj, "status", "allocation") else "",
        "reserved" if path_of(obj, "status", "reservedFor") else "",
    ]
    return ",".join(filter(None, words)) or "pending"


KIND = Kind(
    group="resource.k8s.io",
    version="v1",
    name="ResourceClaim",
    plural="resourceclaims",
    namespaced=True,
    schema="io.k8s.api.resource.v1.ResourceClaim",
    status=True,
    columns=(
        NAME,
        Column("State", plain(_state), description="How far it has come."),
        AGE,
    ),
)
