"""What the subresources `ephemeralcontainers` and `resize` let a client change of a pod, and nothing else.

A client sends a whole Pod; each of these takes over the one part that its subresource is about and leaves the stored
pod's rest alone. A pod's other fields stay as immutable as they are (`kubus.model.validation.pods`), so the rules of
these two parts are checked here.

Follows `ValidatePodEphemeralContainersUpdate` and `ValidatePodResize` of pkg/apis/core/validation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubus.model.defaults.pod_spec import set_pod_defaults
from kubus.model.errors import FieldError, bad_request, forbidden_field, invalid_object
from kubus.model.objects import Object, path_of
from kubus.model.qos import qos_class
from kubus.model.validation.pod_spec import pod_spec_errors
from kubus_apiserver.writing.writes import Change

_MIRROR = "kubernetes.io/config.mirror"
_RESIZABLE = frozenset({"cpu", "memory"})


def debugged(change: Change) -> Change:
    """A change of a pod that takes over its ephemeral containers: new ones come, none is changed or goes."""

    def ephemeral_only(old: Object) -> Object:
        _refuse_mirror(old, "ephemeral containers", "may not be added to static pods")
        wanted = _containers(change(_copied(old)), "ephemeralContainers")
        pod = {**old, "spec": {**old["spec"], "ephemeralContainers": wanted}}
        set_pod_defaults(pod)
        _check(pod, _ephemeral_errors(wanted, old["spec"].get("ephemeralContainers") or []))
        return pod

    return ephemeral_only


def resized(change: Change) -> Change:
    """A change of a pod that takes over cpu and memory of its containers."""

    def resources_only(old: Object) -> Object:
        _refuse_mirror(old, "spec", "static pods may not be resized")
        wanted, spec = change(_copied(old)), dict(old["spec"])
        for field in ("containers", "initContainers"):
            if field in spec:
                spec[field] = _with_resources(old, _containers(wanted, field), field)
        pod = {**old, "spec": spec}
        set_pod_defaults(pod)
        _check(pod, _resize_errors(pod, old))
        return pod

    return resources_only


def _copied(pod: Object) -> Object:
    """The pod for a change that may edit it in place, so that the stored lists stay as they are."""
    return {**pod, "metadata": dict(pod["metadata"]), "spec": dict(pod["spec"])}


def _containers(pod: Object, field: str) -> list[Any]:
    found = path_of(pod, "spec", field, default=None) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise bad_request(f"spec.{field} has to be a list of containers")
    return found


def _with_resources(old: Object, wanted: list[Object], field: str) -> list[Object]:
    """The stored containers with the resources of those of the same name."""
    stored: list[Object] = old["spec"][field]
    by_name = {each.get("name"): each for each in wanted}
    if len(wanted) != len(stored) or by_name.keys() != {each["name"] for each in stored}:
        _check(old, [forbidden_field(f"spec.{field}", "resizing may not add or remove containers")])
    taken = ("resources", "resizePolicy")
    return [
        {
            **{key: value for key, value in each.items() if key not in taken},
            **{key: by_name[each["name"]][key] for key in taken if by_name[each["name"]].get(key)},
        }
        for each in stored
    ]


def _ephemeral_errors(wanted: list[Object], stored: list[Object]) -> list[FieldError]:
    by_name = {each.get("name"): each for each in wanted}
    errors = []
    for each in stored:
        found = by_name.get(each["name"])
        if found != each:
            verb = "removed" if found is None else "changed"
            detail = f'existing ephemeral containers "{each["name"]}" may not be {verb}\n'
            errors.append(forbidden_field("spec.ephemeralContainers", detail))
    return errors


def _resize_errors(pod: Object, old: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    for field in ("containers", "initContainers"):
        for index, (new, before) in enumerate(
            zip(pod["spec"].get(field) or (), old["spec"].get(field) or (), strict=False)
        ):
            if _fixed(new) != _fixed(before):
                at = f"spec.{field}[{index}].resources"
                errors.append(forbidden_field(at, "only cpu and memory resources are mutable"))
            if new.get("resizePolicy") != before.get("resizePolicy"):
                errors.append(forbidden_field(f"spec.{field}[{index}].resizePolicy", "field is immutable"))
    if not errors and qos_class(pod) != qos_class(old):
        errors.append(forbidden_field("spec", "Pod QOS Class may not change as a result of resizing"))
    return errors


def _fixed(container: Object) -> Object:
    """A container's resources but for what may be resized."""
    resources = container.get("resources") or {}
    amounts = {
        side: {name: amount for name, amount in (resources.get(side) or {}).items() if name not in _RESIZABLE}
        for side in ("requests", "limits")
    }
    return {**resources, **amounts}


def _refuse_mirror(pod: Object, field: str, detail: str) -> None:
    if _MIRROR in (pod["metadata"].get("annotations") or {}):
        _check(pod, [forbidden_field(field, detail)])


def _check(pod: Object, errors: list[FieldError]) -> None:
    errors = errors or pod_spec_errors(pod["spec"], "spec")
    if errors:
        raise invalid_object("Pod", "", pod["metadata"]["name"], errors)


CONFINED: dict[str, Callable[[Change], Change]] = {"ephemeralcontainers": debugged, "resize": resized}
"""By subresource of pods."""
