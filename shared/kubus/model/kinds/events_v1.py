"""Events of the group events.k8s.io: the same objects as the core's, with other names for some fields."""

from __future__ import annotations

from kubus.model.kinds import Kind, of
from kubus.model.kinds.events import KIND as CORE
from kubus.model.objects import Object
from kubus.model.views import view_of

TO_CORE = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
FROM_CORE = {stored: shown for shown, stored in TO_CORE.items()}


def to_stored(obj: Object) -> Object:
    """The core event of an events.k8s.io event."""
    return {**{TO_CORE.get(key, key): value for key, value in obj.items()}, "apiVersion": "v1"}


def from_stored(obj: Object) -> Object:
    """The events.k8s.io view of a core event."""
    return {**{FROM_CORE.get(key, key): value for key, value in obj.items()}, "apiVersion": "events.k8s.io/v1"}


def _shown(field: str) -> str:
    """A field selector of the core as this group calls it: `regarding.name` for `involvedObject.name`."""
    first, dot, rest = field.partition(".")
    return FROM_CORE.get(first, first) + dot + rest


_VIEW = view_of(
    CORE,
    to_stored=to_stored,
    from_stored=from_stored,
    group="events.k8s.io",
    schema="io.k8s.api.events.v1.Event",
    create_on_update=True,
)
KIND: Kind = of(_VIEW, fields={_shown(name): get for name, get in _VIEW.fields.items() if name != "source"})
