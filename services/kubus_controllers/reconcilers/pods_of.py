"""What controllers ask of pods: active, ready, available; and who belongs to whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from kubus.model.objects import Object, controller_of, is_deleting, metadata, path_of, uid_of
from kubus.model.times import parse_time

FINISHED = frozenset({"Succeeded", "Failed"})


def phase_of(pod: Object) -> str:
    """status.phase; Pending where it is not set yet."""
    return str(path_of(pod, "status", "phase", default="Pending"))


def is_finished(pod: Object) -> bool:
    """Whether no container of the pod will run again."""
    return phase_of(pod) in FINISHED


def is_active(pod: Object) -> bool:
    """Whether the pod counts as a replica: neither finished nor on its way out."""
    return not is_finished(pod) and not is_deleting(pod)


def condition_of(obj: Object, type_: str) -> dict[str, Any] | None:
    """A condition of an object's status."""
    for condition in path_of(obj, "status", "conditions", default=()):
        if condition.get("type") == type_:
            return dict(condition)
    return None


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is True."""
    condition = condition_of(pod, "Ready")
    return condition is not None and condition.get("status") == "True"


def ready_since(pod: Object) -> datetime | None:
    """Since when the pod has been ready without a break; None if it is not."""
    condition = condition_of(pod, "Ready")
    if condition is None or condition.get("status") != "True":
        return None
    since = condition.get("lastTransitionTime")
    return parse_time(since) if since else None


def available_in(pod: Object, min_ready_seconds: int, now: datetime) -> timedelta | None:
    """How long until the pod counts as available: zero if it does, None if it is not even ready."""
    if not is_ready(pod):
        return None
    if not min_ready_seconds:
        return timedelta(0)
    since = ready_since(pod)
    if since is None:
        return None
    return max(timedelta(0), since + timedelta(seconds=min_ready_seconds) - now)


def is_controlled_by(obj: Object, owner_uid: str) -> bool:
    """Whether the object's controller is the owner with this uid."""
    reference = controller_of(obj)
    return reference is not None and reference.get("uid") == owner_uid


def controller_reference(owner: Object) -> dict[str, Any]:
    """The ownerReference that makes `owner` an object's controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata(owner)["name"],
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def without_owner(obj: Object, owner_uid: str) -> list[dict[str, Any]]:
    """The object's owner references less those to one owner."""
    return [reference for reference in metadata(obj).get("ownerReferences") or () if reference.get("uid") != owner_uid]


def soonest(waits: Iterable[timedelta | None]) -> timedelta | None:
    """The shortest of the waits that are more than nothing; None if there is none."""
    return min((wait for wait in waits if wait), default=None)
