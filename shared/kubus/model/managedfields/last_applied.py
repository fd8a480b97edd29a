"""The way from client-side apply to server-side apply.

`kubectl apply` keeps its last configuration in an annotation, and what it wrote is owned by an update of
`kubectl-client-side-apply`. When `kubectl apply --server-side` comes for the first time, these fields would be in
conflict with itself; so conflicts about what the annotation says, and the object still has, are allowed to kubectl. The
annotation is then kept up to date, so that client-side apply still works afterwards.
"""

from __future__ import annotations

from typing import Any

from kubus.model.codec import DecodeError, from_json, to_json
from kubus.model.managedfields.comparing import compare
from kubus.model.managedfields.fieldsets import Node, difference, has
from kubus.model.managedfields.managers import Managers
from kubus.model.managedfields.pruning import owned_fields
from kubus.model.managedfields.types import ItemError
from kubus.model.managedfields.updating import Applied, By, Conflicts, View, applied
from kubus.model.objects import Object, annotations_of

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
KUBECTL = "kubectl"
_ANNOTATIONS_BYTES_MAX = 256 * 1024


def applied_by(view: View, live: Object, config: Object, managers: Managers, by: By, *, force: bool) -> Applied:
    """`applied`, but kubectl is let through where it is in conflict with its own last configuration.

    Raises:
        Conflicts: others own fields that would change.
        ItemError: an item of a list cannot be told from others.
    """
    try:
        result = applied(view, live, config, managers, by, force=force)
    except Conflicts as refused:
        allowed = _allowed(view, live) if by.manager.name == KUBECTL else None
        if allowed is None:
            raise
        left = [each for each in refused.conflicts if not has(allowed, each.path)]
        if left:
            raise Conflicts(left) from None
        result = applied(view, live, config, managers, by, force=True)
    if by.manager.name != KUBECTL:
        return result
    return result._replace(object=_annotated(live if result.object is None else result.object, config, result))


def _allowed(view: View, live: Object) -> Node | None:
    """What the last configuration says and the object has; None if there is no such configuration."""
    text = annotations_of(live).get(LAST_APPLIED)
    if not isinstance(text, str) or not text:
        return None
    try:
        config = from_json(text)
        if not isinstance(config, dict) or config.get("apiVersion") != view.api_version:
            return None
        found = compare(view.type, config, live)
        owned = owned_fields(view.type, config)
    except (DecodeError, ItemError):
        return None
    return difference(difference(difference(owned, found.modified), found.added), found.removed)


def _annotated(obj: Object, config: Object, result: Applied) -> Object | None:
    """The applied object with its annotation brought up to date, if it has one."""
    annotations = annotations_of(obj)
    if not annotations.get(LAST_APPLIED):
        return result.object
    text = to_json(_without_annotation(config)).decode() + "\n"
    if annotations[LAST_APPLIED] == text:
        return result.object
    changed = {**annotations, LAST_APPLIED: text}
    if sum(len(key) + len(value) for key, value in changed.items()) > _ANNOTATIONS_BYTES_MAX:
        del changed[LAST_APPLIED]
    return {**obj, "metadata": {**obj["metadata"], "annotations": changed}}


def _without_annotation(config: Object) -> Object:
    metadata = config.get("metadata")
    if not isinstance(metadata, dict) or LAST_APPLIED not in (metadata.get("annotations") or {}):
        return config
    kept: dict[str, Any] = {key: value for key, value in metadata["annotations"].items() if key != LAST_APPLIED}
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**config, "metadata": {**rest, "annotations": kept} if kept else rest}
