"""The Scale of an object: how many replicas are wanted and there are, in one shape for all kinds that have it.

https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/scale-v1/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubus.model.codec import Raw, pack
from kubus.model.errors import bad_request, invalid, invalid_object
from kubus.model.kinds import Kind
from kubus.model.objects import Object, path_of
from kubus.model.selectors import LabelSelector
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.writing.patching import Patch

_SCALE_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(kind: Kind, obj: Object) -> Object:
    """The Scale of an object."""
    if kind.scale is None:
        raise ValueError(f"{kind.name} has no scale")
    status: dict[str, Any] = {"replicas": path_of(obj, *kind.scale.status_replicas, default=0)}
    selector = path_of(obj, *kind.scale.selector) if kind.scale.selector else None
    if isinstance(selector, str):
        status["selector"] = selector
    elif isinstance(selector, dict):
        structured = "matchLabels" in selector or "matchExpressions" in selector
        status["selector"] = str((LabelSelector.from_object if structured else LabelSelector.from_map)(selector))
    metadata = obj["metadata"]
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: metadata[field] for field in _SCALE_METADATA if field in metadata},
        "spec": {"replicas": path_of(obj, *kind.scale.replicas, default=0)},
        "status": status,
    }


def scale_entry(kind: Kind, entry: Entry) -> Entry:
    """The Scale of an entry, as an entry."""
    scale = scale_of(kind, entry.object)
    return Entry(entry.namespace, entry.name, entry.revision, Raw(pack(scale)), scale)


def scaled(kind: Kind, wanted: Object) -> Callable[[Object], Object]:
    """The change that a PUT of a Scale means.

    Raises:
        StatusError: 400, 422: no number of replicas.
    """
    replicas = path_of(wanted, "spec", "replicas", default=0)
    name = path_of(wanted, "metadata", "name", default="")
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request('Scale in version "v1" cannot be handled as a Scale: spec.replicas is no number')
    if replicas < 0:
        errors = [invalid("spec.replicas", replicas, "must be greater than or equal to 0")]
        raise invalid_object("Scale", "autoscaling", name, errors)
    path = kind.scale.replicas if kind.scale is not None else ()

    def change(old: Object) -> Object:
        inner, *rest = old, *path
        for step in rest[:-1]:
            inner = inner.setdefault(step, {})
        inner[rest[-1]] = replicas
        return old

    return change


def scale_patched(kind: Kind, patch: Patch) -> Callable[[Object], Object]:
    """The change that a PATCH of a Scale means."""

    def change(old: Object) -> Object:
        return scaled(kind, patch.merged(scale_of(kind, old)))(old)

    return change
