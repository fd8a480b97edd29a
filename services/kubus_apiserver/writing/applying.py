"""Server-side apply as a request: change the object if it is there, create it if it is not.

Either may turn into the other while it is under way: an object that somebody deletes is created anew, one that somebody
creates is applied to. Who may patch may not therefore create, so that right is asked for when it comes to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kubus.model.errors import StatusError, bad_request, conflict, method_not_allowed
from kubus.model.objects import Object, path_of
from kubus_apiserver.calls import Target, User, WriteOptions
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.writing.fieldmanagers import FieldManagers
from kubus_apiserver.writing.writes import Writes

_TRIES = 4
_APPLICABLE = frozenset({"", "status", "scale"})
_SCALE = ("autoscaling/v1", "Scale")


class AppliedEntry(NamedTuple):
    """What an apply has brought about."""

    entry: Entry
    created: bool


async def apply(
    writes: Writes,
    fields: FieldManagers,
    target: Target,
    config: Any,
    *,
    user: User,
    options: WriteOptions,
    may_create: Callable[[], None],
) -> AppliedEntry:
    """Apply a configuration to an object, its status or its scale.

    Raises:
        StatusError: 400, 403, 404, 409 (conflicts with other managers, too), 422, 5xx of the store.
    """
    if target.subresource not in _APPLICABLE:
        raise method_not_allowed()
    subresource = target.subresource
    if subresource == "scale":
        config, target = _scaled(target, config), target._replace(subresource="")
    applier = fields.applier(target.kind, config, subresource, options)
    for attempt in range(_TRIES):
        try:
            entry = await writes.update(target, applier, user, options, verb="apply", tracked_as=subresource)
            return AppliedEntry(entry, created=False)
        except StatusError as error:
            if error.code != 404 or subresource:
                raise
        may_create()
        if applier.uid:
            detail = f"uid mismatch: the provided object specified uid {applier.uid}, and no existing object was found"
            raise conflict(target.kind.plural, target.kind.group, target.name, detail)
        obj = applier.new()
        _check_name(target, obj)
        try:
            return AppliedEntry(await writes.create(target, obj, user, options, applied=True), created=True)
        except StatusError as error:
            if error.reason != "AlreadyExists" or attempt == _TRIES - 1:
                raise
    raise conflict(target.kind.plural, target.kind.group, target.name)


def _check_name(target: Target, obj: Object) -> None:
    given = obj["metadata"].setdefault("name", target.name)
    if given != target.name:
        raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({target.name})")


def _scaled(target: Target, scale: Any) -> Object:
    """The configuration of an object that a configuration of its Scale means."""
    kind = target.kind
    if not isinstance(scale, dict) or (scale.get("apiVersion"), scale.get("kind")) != _SCALE or kind.scale is None:
        raise bad_request("invalid object type: a scale takes autoscaling/v1, Kind=Scale")
    replicas = path_of(scale, "spec", "replicas")
    if isinstance(replicas, bool) or not isinstance(replicas, int | None):
        raise bad_request("failed to create typed patch object: .spec.replicas: expected numeric (int or float)")
    config: Any = 0 if replicas is None else replicas
    for step in reversed(kind.scale.replicas):
        config = {step: config}
    named = path_of(scale, "metadata", default={})
    if not isinstance(named, dict):
        raise bad_request("failed to create typed patch object: .metadata: expected map")
    metadata = {key: named[key] for key in ("name", "namespace", "uid") if key in named}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **config}
