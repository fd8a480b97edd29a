"""Changes that the server itself makes of a stored object: binding, finalize.

Each is a function from a private copy of the stored object to the wanted one. As the server's own it passes by
what a client's update has to pass (see `Writes.update`), and each says no in Kubernetes' words.
"""

from __future__ import annotations

from kubus.model.errors import StatusError, bad_request, conflict, invalid_object, required
from kubus.model.objects import Object, path_of
from kubus.model.times import Clock, rfc3339
from kubus_apiserver.writing.writes import Change


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
        for field in ("labels", "annotations"):
            if given := path_of(binding, "metadata", field):
                metadata[field] = {**(metadata.get(field) or {}), **given}
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
