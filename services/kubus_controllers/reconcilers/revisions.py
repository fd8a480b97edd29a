"""ControllerRevisions: the templates that a DaemonSet or StatefulSet has had.

They tell old pods from new ones, and are what `kubectl rollout history` shows and `undo` goes back to. A revision holds
the template as a patch that brings it back. Templates are compared, so going back to an earlier one makes no new
revision but moves the old one to the front.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kubus.machinery.plans import Action, Adopt, Create, Delete, SetStatus, Update, View
from kubus.model.codec import to_json
from kubus.model.kinds import Kind
from kubus.model.kinds.controllerrevisions import KIND as REVISIONS
from kubus.model.objects import Object, is_deleting, labels_of, metadata, name_of, namespace_of, path_of, uid_of
from kubus_controllers.reconcilers.adoption import adopt, orphans, orphans_index, selector_of
from kubus_controllers.reconcilers.names import child_name, suffix
from kubus_controllers.reconcilers.pods_of import controller_reference, is_controlled_by

HASH = "controller-revision-hash"


class Revised(NamedTuple):
    """The present template's revision."""

    name: str
    hash: str
    actions: tuple[Action, ...]
    """What is to be done so that it is there."""


def history(owner: Object, view: View) -> list[Object]:
    """All revisions of an owner, the oldest first."""
    found = [each for each in view.owned(REVISIONS, uid_of(owner)) if is_controlled_by(each, uid_of(owner))]
    return sorted(found, key=lambda each: (each.get("revision", 0), name_of(each)))


ORPHANED_REVISIONS = orphans_index(REVISIONS)


def adopt_revisions(kind: Kind, owner: Object, view: View) -> list[Adopt]:
    """Adopt the revisions that match the owner's selector and have no controller.

    An owner that was deleted with its pods left running, and made again, so knows them as up to date.
    """
    found = orphans(owner, view, selector_of(owner), REVISIONS)
    return [adopt(kind, owner, each, REVISIONS) for each in found if not is_deleting(each)]


def patch_of(owner: Object) -> Object:
    """What a revision of the owner's present template holds, with sorted keys.

    Upstream serializes a Go map, so its keys are sorted, `$patch` first; clients compare the bytes.
    """
    template = path_of(owner, "spec", "template", default={})
    sorted_patch: Object = _with_sorted_keys({"spec": {"template": {**template, "$patch": "replace"}}})
    return sorted_patch


def _with_sorted_keys(value: Any) -> Any:
    match value:
        case dict():
            return {key: _with_sorted_keys(value[key]) for key in sorted(value)}
        case list():
            return [_with_sorted_keys(each) for each in value]
    return value


def revised(kind: Kind, owner: Object, revisions: list[Object], view: View) -> Revised:
    """The revision of the owner's present template."""
    data, newest = patch_of(owner), max((each.get("revision", 0) for each in revisions), default=0)
    same = [each for each in revisions if each.get("data") == data]
    if same:
        found = same[-1]
        hash_ = labels_of(found).get(HASH, "")
        if found.get("revision") == newest:
            return Revised(name_of(found), hash_, ())
        return Revised(name_of(found), hash_, (Update(REVISIONS, {**found, "revision": newest + 1}),))
    collisions = path_of(owner, "status", "collisionCount", default=0)
    hash_ = suffix(to_json(data).decode(), collisions or "", length=10)
    name = child_name(name_of(owner), hash_)
    there = view.get(REVISIONS, namespace_of(owner), name)
    if there is not None and there.get("data") == data:
        # Of an owner of the same name before: it is either about to be adopted here or to be collected and made again.
        return Revised(name, hash_, ())
    if there is not None:  # another template with the same hash
        status = {**(owner.get("status") or {}), "collisionCount": collisions + 1}
        return Revised(name, hash_, (SetStatus(kind, {**owner, "status": status}),))
    template = path_of(owner, "spec", "template", default={})
    made = {
        "apiVersion": REVISIONS.api_version,
        "kind": REVISIONS.name,
        "metadata": {
            "name": name,
            "namespace": namespace_of(owner),
            "labels": {**labels_of(template), HASH: hash_},
            "annotations": metadata(owner).get("annotations") or {},
            "ownerReferences": [controller_reference(owner)],
        },
        "data": data,
        "revision": newest + 1,
    }
    return Revised(name, hash_, (Create(REVISIONS, made),))


def outdated(owner: Object, revisions: list[Object], live: Iterable[str]) -> list[Delete]:
    """The deletion of revisions beyond the limit that no pod has, the oldest first; `live` by name."""
    kept = set(live)
    idle = [each for each in revisions if name_of(each) not in kept]
    limit = path_of(owner, "spec", "revisionHistoryLimit", default=10)
    surplus = idle[: max(0, len(idle) - limit)]
    return [Delete(REVISIONS, namespace_of(each), name_of(each), uid_of(each)) for each in surplus]
