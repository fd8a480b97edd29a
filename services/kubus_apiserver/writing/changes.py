"""Changes that the server itself makes of a stored object: scale, binding, finalize.

Each is a function from a private copy of the stored object to the wanted one. As the server's own it passes by
what a client's update has to pass (see `Writes.update`), and each says no in Kubernetes' words.
"""

from __future__ import annotations

from typing import Any

from kubus.model.codec import Raw, pack
from kubus.model.errors import StatusError, bad_request, conflict, invalid, invalid_object, required
from kubus.model.kinds import Kind
from kubus.model.objects import Object, path_of
from kubus.model.selectors import LabelSelector
from kubus.model.times import Clock, rfc3339
from kubus_apiserver.reading.entries import Entry
from kubus_apiserver.writing.patching import Patch
from kubus_apiserver.writing.writes import Change

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


def scaled(kind: Kind, wanted: Object) -> Change:
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


def scale_patched(kind: Kind, patch: Patch) -> Change:
    """The change that a PATCH of a Scale means."""

    def change(old: Object) -> Object:
        return scaled(kind, patch.merged(scale_of(kind, old)))(old)

    return change


def finalized(wanted: Object) -> Change:
    """A namespace with the finalizers in spec that are left."""

    def change(old: Object) -> Object:
        old.setdefault("spec", {})["finalizers"] = path_of(wanted, "spec", "finalizers", default=[])
        return old

    return change


def bound(name: str, binding: Object, clock: Clock) -> Change:
    """A pod put on the node that a Binding names.

    Raises:
        StatusError: 400, 422; from the change: 409, the pod is taken or going.
    """
    target = path_of(binding, "target", default={})
    node = target.get("name") if isinstance(target, dict) else None
    given = path_of(binding, "metadata", "name", default=name)
    if given != name:
        raise bad_request("name in URL does not match name in Binding object")
    if not isinstance(node, str) or not node:
        raise invalid_object("Binding", "", name, [required("target.name")])
    if target.get("kind") not in (None, "", "Node"):
        raise bad_request(f"invalid target kind {target.get('kind')!r}: only Node")

    def change(pod: Object) -> Object:
        _check_free(name, pod, path_of(binding, "metadata", "uid", default=""))
        metadata = pod["metadata"]
        pod["spec"]["nodeName"] = node
        if annotations := path_of(binding, "metadata", "annotations"):
            metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
        status = pod.setdefault("status", {})
        others = [each for each in status.get("conditions") or () if each.get("type") != "PodScheduled"]
        now = rfc3339(clock.now())
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now}
        status["conditions"] = [*others, scheduled]
        return pod

    return change


def _check_free(name: str, pod: Object, uid: str) -> None:
    metadata, spec = pod["metadata"], pod["spec"]
    if uid and uid != metadata["uid"]:
        raise _taken(name, f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}")
    if metadata.get("deletionTimestamp"):
        raise _taken(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        raise _taken(name, f'pod {name} is already assigned to node "{spec["nodeName"]}"')
    if spec.get("schedulingGates"):
        raise _taken(name, f"pod {name} has non-empty .spec.schedulingGates")


def _taken(name: str, detail: str) -> StatusError:
    return conflict("pods/binding", "", name, detail)
