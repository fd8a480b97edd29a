"""ResourceQuotas."""

from __future__ import annotations

from kubus.model.cells import AGE, NAME, plain
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, path_of
from kubus.model.validation.quotas import quota_errors


def _used(obj: Object, *, limits: bool) -> str:
    hard, used = path_of(obj, "status", "hard", default={}), path_of(obj, "status", "used", default={})
    names = sorted(name for name in hard if name.startswith("limits.") == limits)
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)


KIND = Kind(
    group="",
    version="v1",
    name="ResourceQuota",
    plural="resourcequotas",
    namespaced=True,
    schema="io.k8s.api.core.v1.ResourceQuota",
    short_names=("quota",),
    status=True,
    rules=(quota_errors,),
    columns=(
        NAME,
        Column(
            "Request",
            plain(lambda obj: _used(obj, limits=False)),
            description="Used and allowed of requests and counts.",
        ),
        Column("Limit", plain(lambda obj: _used(obj, limits=True)), description="Used and allowed of limits."),
        AGE,
    ),
)
