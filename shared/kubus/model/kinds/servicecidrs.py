"""ServiceCIDRs."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, joined, plain
from kubus.model.errors import FieldError, invalid, required
from kubus.model.kinds import Column, Kind
from kubus.model.names import cidr_errors
from kubus.model.objects import Object, path_of
from kubus.model.validation.values import immutable


def cidr_errors_of(obj: Object, old: Object | None) -> list[FieldError]:
    """One or two ranges, given once."""
    cidrs = path_of(obj, "spec", "cidrs", default=[])
    errors = [] if cidrs else [required("spec.cidrs", "at least one CIDR required")]
    for index, cidr in enumerate(cidrs):
        errors += [invalid(f"spec.cidrs[{index}]", cidr, each) for each in cidr_errors(cidr)]
    return errors + (immutable(cidrs, path_of(old, "spec", "cidrs", default=[]), "spec.cidrs") if old else [])


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    name="ServiceCIDR",
    plural="servicecidrs",
    namespaced=False,
    schema="io.k8s.api.networking.v1.ServiceCIDR",
    status=True,
    generation=True,
    rules=(cidr_errors_of,),
    columns=(
        NAME,
        Column(
            "CIDRs",
            plain(lambda obj: joined(path_of(obj, "spec", "cidrs", default=()))),
            description="Ranges of ClusterIPs.",
        ),
        AGE,
    ),
)
