"""LimitRanges."""

from __future__ import annotations

from kubus.model.cells import CREATED, NAME
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus.model.validation.quotas import limit_range_errors


def set_defaults(obj: Object) -> None:
    """A container's default limit is the maximum, its default request the default limit, or else the minimum."""
    for item in (obj.get("spec") or {}).get("limits") or ():
        if item.get("type") != "Container":
            continue
        limits = {**(item.get("max") or {}), **(item.get("default") or {})}
        requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
        if limits:
            item["default"] = limits
        if requests:
            item["defaultRequest"] = requests


KIND = Kind(
    group="",
    version="v1",
    name="LimitRange",
    plural="limitranges",
    namespaced=True,
    schema="io.k8s.api.core.v1.LimitRange",
    create_on_update=True,
    short_names=("limits",),
    defaults=set_defaults,
    rules=(limit_range_errors,),
    columns=(
        NAME,
        CREATED,
    ),
)
