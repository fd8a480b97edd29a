"""IPAddresses."""

from __future__ import annotations

from ipaddress import ip_address

from kubus.model.cells import AGE, NAME, NONE, plain
from kubus.model.errors import FieldError, invalid, required
from kubus.model.kinds import Column, Kind
from kubus.model.names import ip_errors
from kubus.model.objects import Object, path_of
from kubus.model.validation.values import immutable


def address_errors(obj: Object, old: Object | None) -> list[FieldError]:
    """Its name is the address, in the one way to write it; who holds it is said once."""
    name = path_of(obj, "metadata", "name", default="")
    errors = [invalid("metadata.name", name, each) for each in ip_errors(name)]
    if not errors and str(ip_address(name)) != name:
        errors.append(invalid("metadata.name", name, "must be a canonical format IP address"))
    parent = path_of(obj, "spec", "parentRef")
    if not parent:
        return [*errors, required("spec.parentRef")]
    errors += [required(f"spec.parentRef.{field}") for field in ("resource", "name") if not parent.get(field)]
    before = None if old is None else path_of(old, "spec", "parentRef")
    return errors + (immutable(parent, before, "spec.parentRef") if before is not None else [])


def _parent(obj: Object) -> str:
    parent = path_of(obj, "spec", "parentRef")
    if not parent:
        return NONE
    resource = ".".join(filter(None, (parent.get("resource"), parent.get("group")))).lower()
    return "/".join(filter(None, (resource, parent.get("namespace"), parent.get("name"))))


KIND = Kind(
    group="networking.k8s.io",
    version="v1",
    name="IPAddress",
    plural="ipaddresses",
    namespaced=False,
    schema="io.k8s.api.networking.v1.IPAddress",
    short_names=("ip",),
    generation=True,
    name_check="path_segment",
    rules=(address_errors,),
    columns=(
        NAME,
        Column("ParentRef", plain(_parent), description="What it is given to."),
        AGE,
    ),
)
