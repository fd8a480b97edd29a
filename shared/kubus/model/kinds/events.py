"""Events of the core group; `events.k8s.io` shows the same objects in another shape."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from kubus.model.cells import NAME, at, plain, since
from kubus.model.errors import FieldError, invalid
from kubus.model.kinds import Column, Kind
from kubus.model.objects import Object, namespace_of, path_of

INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def event_errors(obj: Object, _old: Object | None) -> list[FieldError]:
    """An event lives in the namespace of what it is about; about the whole cluster, in `default`."""
    involved = path_of(obj, "involvedObject", "namespace", default="")
    allowed = (involved,) if involved else ("", "default", "kube-system")
    if namespace_of(obj) in allowed:
        return []
    return [invalid("involvedObject.namespace", involved, "does not match event.namespace")]


def _first_seen(obj: Object, now: datetime) -> str:
    return since(obj.get("firstTimestamp") or obj.get("eventTime"), now)


def _last_seen(obj: Object, now: datetime) -> str:
    series = obj.get("series")
    if series:
        return since(series.get("lastObservedTime"), now)
    return since(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else _first_seen(obj, now)


def _about(obj: Object) -> str:
    kind, name = path_of(obj, "involvedObject", "kind", default=""), path_of(obj, "involvedObject", "name")
    return f"{kind.lower()}/{name}" if name else kind.lower()


def _source(obj: Object) -> str:
    component = path_of(obj, "source", "component") or obj.get("reportingComponent") or ""
    host = path_of(obj, "source", "host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


def _count(obj: Object) -> int:
    return (obj.get("series") or {}).get("count") or obj.get("count") or 1


def _involved(key: str) -> Callable[[Object], str]:
    return lambda obj: path_of(obj, "involvedObject", key, default="")


KIND = Kind(
    group="",
    version="v1",
    name="Event",
    plural="events",
    namespaced=True,
    schema="io.k8s.api.core.v1.Event",
    create_on_update=True,
    ttl_seconds=3600,
    short_names=("ev",),
    rules=(event_errors,),
    columns=(
        Column("Last Seen", _last_seen, description="How long ago it happened last."),
        Column("Type", at("type"), description="Normal or Warning."),
        Column("Reason", at("reason"), description="One word for what happened."),
        Column("Object", plain(_about), description="What it happened to."),
        Column("Subobject", at("involvedObject", "fieldPath"), priority=1, description="Which part of it."),
        Column("Source", plain(_source), priority=1, description="Who says so."),
        Column("Message", plain(lambda obj: (obj.get("message") or "").strip()), description="What happened."),
        Column("First Seen", _first_seen, priority=1, description="How long ago it happened first."),
        Column("Count", plain(_count), "integer", priority=1, description="How often."),
        Column("Name", NAME.cell, priority=1, format="name", description="The event's name."),
    ),
    fields={
        **{f"involvedObject.{key}": _involved(key) for key in INVOLVED},
        "reason": lambda obj: obj.get("reason") or "",
        "reportingComponent": lambda obj: obj.get("reportingComponent") or "",
        "source": lambda obj: path_of(obj, "source", "component") or obj.get("reportingComponent") or "",
        "type": lambda obj: obj.get("type") or "",
    },
)
