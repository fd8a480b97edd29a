"""Component statuses: never stored, found out when somebody asks."""

from __future__ import annotations

from datetime import datetime

from kubus.model.cells import NAME
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object


def _status(component: Object, _now: datetime) -> str:
    for condition in component.get("conditions") or ():
        if condition.get("type") == "Healthy":
            return {"True": "Healthy", "False": "Unhealthy"}.get(condition.get("status") or "", "Unknown")
    return "Unknown"


def _said(field: str, component: Object) -> str:
    return "".join(each.get(field, "") for each in component.get("conditions") or ())


KIND = Kind(
    group="",
    version="v1",
    name="ComponentStatus",
    plural="componentstatuses",
    namespaced=False,
    schema="io.k8s.api.core.v1.ComponentStatus",
    short_names=("cs",),
    deprecation="v1 ComponentStatus is deprecated in v1.19+",
    verbs=("get", "list"),
    columns=(
        NAME,
        Column("Status", _status, description="Whether the component is healthy."),
        Column("Message", lambda component, _now: _said("message", component), description="What it says."),
        Column("Error", lambda component, _now: _said("error", component), description="What is wrong."),
    ),
)
