"""ServiceAccounts."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, plain
from kubus.model.kinds import Column, Kind

KIND = Kind(
    group="",
    version="v1",
    name="ServiceAccount",
    plural="serviceaccounts",
    namespaced=True,
    schema="io.k8s.api.core.v1.ServiceAccount",
    short_names=("sa",),
    subresources=("token",),
    columns=(
        NAME,
        Column(
            "Secrets", plain(lambda obj: len(obj.get("secrets") or ())), "integer", description="Secrets it may use."
        ),
        AGE,
    ),
)
