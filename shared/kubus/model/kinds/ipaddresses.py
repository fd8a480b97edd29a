"""IPAddresses."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, NONE, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of


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
    columns=(
        NAME,
        Column("ParentRef", plain(_parent), description="What it is given to."),
        AGE,
    ),
)
