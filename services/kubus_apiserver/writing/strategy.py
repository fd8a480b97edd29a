"""What the server itself puts into an object: identity, generation, deletion, and whose status is whose.

Pure functions from what the client sent and what is stored to what will be stored. They change the object
they are given, which is freshly decoded and nobody else's; the stored one is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from kubus.model.errors import FieldError, bad_request, conflict, invalid_object
from kubus.model.kinds import Kind
from kubus.model.names import generated_name
from kubus.model.objects import Object
from kubus.model.times import rfc3339
from kubus.model.validation import object_errors, status_errors

KEEPS_STATUS = frozenset({"nodes.core"})
"""Collections whose objects may be created with their status, as kubelets create nodes."""
_OF_THE_SERVER = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
_STATUS_KEEPS = {"deployments.apps": ("labels",), "pods.core": ("ownerReferences",)}
"""Metadata that a write of the status leaves alone."""
_MESSAGE_UID = "Precondition failed: UID in precondition: {}, UID in object meta: {}"


def check_identity(kind: Kind, obj: Object, namespace: str, name: str = "") -> None:
    """Fill in what the path says, and refuse an object that says otherwise.

    Raises:
        StatusError: 400 with Kubernetes' words.
    """
    api_version, kind_name = obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.name
    if api_version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version ({kind.api_version})"
        )
    if kind_name != kind.name:
        raise bad_request(
            f'{kind_name} in version "{kind.version}" cannot be handled as a {kind.name}: no kind "{kind_name}" is '
            f'registered for version "{kind.api_version}" at this path'
        )
    obj["apiVersion"], obj["kind"] = api_version, kind_name
    metadata = obj.get("metadata")
    if metadata is None:
        metadata = obj["metadata"] = {}
    given = metadata.get("namespace") or ""
    if kind.namespaced:
        if given and given != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        metadata["namespace"] = namespace
    elif given:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata.pop("namespace", None)
    if name:
        given = metadata.get("name")
        if not given:
            raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
        if given != name:
            raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")


def clear_new(kind: Kind, obj: Object) -> None:
    """Take from a new object what is for the server to say."""
    metadata = obj["metadata"]
    for field in ("resourceVersion", "managedFields", "selfLink", *_OF_THE_SERVER):
        metadata.pop(field, None)
    if kind.generation:
        metadata["generation"] = 1
    if kind.status and kind.collection not in KEEPS_STATUS:
        obj.pop("status", None)


def stamp_new(obj: Object, *, uid: str, now: datetime, suffix: Callable[[], str]) -> None:
    """Give a new object its identity, once all mutators have seen it, as in Kubernetes."""
    metadata = obj["metadata"]
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = generated_name(metadata["generateName"], suffix())
    managed = metadata.pop("managedFields", None)
    metadata["uid"] = uid
    metadata["creationTimestamp"] = rfc3339(now)
    if managed is not None:
        metadata["managedFields"] = managed  # read last by people, and long


def carry_over(kind: Kind, obj: Object, old: Object, *, subresource: str, built_in: bool = True) -> Object:
    """The update with what the client may not change put back from the stored object.

    A write of the status may change labels and annotations too, but for custom resources.

    Raises:
        StatusError: 409, the update means another object of this name.
    """
    old_metadata, metadata = old["metadata"], obj["metadata"]
    given = metadata.get("uid")
    if given and given != old_metadata["uid"]:
        detail = _MESSAGE_UID.format(given, old_metadata["uid"])
        raise conflict(kind.plural, kind.group, old_metadata["name"], detail)
    if subresource == "status" and not built_in:
        return {**old, "metadata": _without(old_metadata, "resourceVersion"), "status": obj.get("status") or {}}
    metadata.pop("resourceVersion", None)
    if subresource not in ("", "status", "approval"):
        return obj  # the server's own change of the stored object
    metadata.pop("selfLink", None)
    _put_back(metadata, old_metadata, (*_OF_THE_SERVER, "managedFields", "generateName"))
    if subresource:
        return _with_status(kind, obj, old)
    if kind.status:
        if "status" in old:
            obj["status"] = old["status"]
        else:
            obj.pop("status", None)
    return obj


def _with_status(kind: Kind, obj: Object, old: Object) -> Object:
    _put_back(obj["metadata"], old["metadata"], _STATUS_KEEPS.get(kind.collection, ()))
    return {**old, "metadata": obj["metadata"], "status": obj.get("status") or {}}


def _put_back(metadata: dict[str, Any], old: dict[str, Any], fields: Sequence[str]) -> None:
    for field in fields:
        if field in old:
            metadata[field] = old[field]
        else:
            metadata.pop(field, None)


def count_generation(kind: Kind, obj: Object, old: Object) -> None:
    """Count a change of what is wanted: of everything but metadata, and status where that is apart."""
    if kind.generation and _wanted(kind, obj) != _wanted(kind, old):
        obj["metadata"]["generation"] = int(old["metadata"].get("generation") or 0) + 1


def _wanted(kind: Kind, obj: Object) -> dict[str, Any]:
    apart = ("metadata", "status") if kind.status or kind.custom is None else ("metadata",)
    return {key: value for key, value in obj.items() if key not in apart}


def _without(metadata: dict[str, Any], field: str) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != field}


def same(obj: Object, old: Object) -> bool:
    """Whether an update changes nothing; the stored object may carry its resourceVersion."""
    if obj.keys() != old.keys():
        return False
    for key, value in obj.items():
        if key == "metadata":
            if _without(value, "resourceVersion") != _without(old[key], "resourceVersion"):
                return False
        elif value != old[key]:
            return False
    return True


def check(kind: Kind, obj: Object, old: Object | None) -> None:
    """Metadata's rules and the kind's own.

    Raises:
        StatusError: 422 with every field error.
    """
    _refuse(kind, obj, object_errors(kind, obj, old))


def check_status(kind: Kind, obj: Object, old: Object) -> None:
    """The rules of metadata and of the status, for a write of the status.

    Raises:
        StatusError: 422 with every field error.
    """
    _refuse(kind, obj, status_errors(kind, obj, old))


def _refuse(kind: Kind, obj: Object, errors: Sequence[FieldError]) -> None:
    if errors:
        metadata = obj["metadata"]
        raise invalid_object(kind.name, kind.group, metadata.get("name") or metadata.get("generateName") or "", errors)
