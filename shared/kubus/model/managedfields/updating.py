"""What a write does to the managers of an object, and what an apply does to the object.

An update takes the fields it changes from whoever had them. An apply owns exactly what its configuration says: what
its manager owned before and does not say any more goes from the object, unless somebody else owns it too; and what
another manager owns may be repeated but not changed, unless by force.

This is structured-merge-diff's `merge.Updater` inside apimachinery's chain of field managers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kubus.model.managedfields.comparing import Comparison, compare
from kubus.model.managedfields.fieldsets import (
    LEAF,
    SELF,
    Node,
    difference,
    intersection,
    is_member,
    paths,
    recursive_difference,
    union,
    without_member,
)
from kubus.model.managedfields.managers import UPDATE, Managed, Manager, Managers, capped, identity
from kubus.model.managedfields.merging import merge
from kubus.model.managedfields.pruning import owned_fields, with_named_fields, without_fields
from kubus.model.managedfields.types import Type
from kubus.model.objects import Object

BEFORE_FIRST_APPLY = "before-first-apply"
_OF_THE_SERVER = (
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
)
NOBODYS: Node = {
    "f:apiVersion": LEAF,
    "f:kind": LEAF,
    "f:metadata": {SELF: LEAF, **{f"f:{name}": LEAF for name in _OF_THE_SERVER}},
}
"""Fields that nobody owns."""


def skipped_fields(ignored: Node) -> Node:
    """Fields that a comparison passes over, given those that a request cannot set."""
    inner = without_member(NOBODYS["f:metadata"])
    whole = is_member(ignored.get("f:metadata", {"": LEAF}))
    metadata = LEAF if whole else union(inner, ignored.get("f:metadata", LEAF))
    return {**NOBODYS, **ignored, "f:metadata": metadata}


class Version(NamedTuple):
    """An API version of an object, and the way there from the version of the request and back."""

    type: Type
    there: Callable[[Object], Object]
    back: Callable[[Object], Object]


class View(NamedTuple):
    """How a request sees objects."""

    type: Type
    api_version: str
    ignored: Node
    """Fields that the request cannot set: status, or all but status."""
    skipped: Node
    """These, and those that nobody owns."""
    other: Callable[[str], Version | None]
    """Another API version; None if it is served no more."""


class By(NamedTuple):
    """Who writes, and when."""

    manager: Manager
    now: str
    """As an entry holds it."""


class Conflict(NamedTuple):
    """A field that an apply would change though another manager owns it."""

    manager: Manager
    path: tuple[str, ...]


class Conflicts(Exception):
    """An apply that is refused."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


class Applied(NamedTuple):
    """What came of an apply."""

    object: Object | None
    """None: nothing in the object changes."""
    managers: Managers


def updated(view: View, old: Object, new: Object, managers: Managers, by: By) -> Managers:
    """The managers after an update; the very same ones if it changed no field that can be owned.

    Args:
        view: how the request sees objects.
        old: the object before; {} for a creation.
        new: the object that is wanted.
        managers: the managers so far.
        by: who writes, and when.

    Raises:
        ItemError: an item of a list cannot be told from others.
    """
    found = compare(view.type, old, new, view.skipped)
    if not (found.removed or found.modified or found.added):
        return managers
    result = _taken(managers, Comparisons(view, old, new, found))
    taken = found.written
    if taken:
        before = result.get(by.manager)
        fields = taken if before is None else union(taken, before.fields)
        result[by.manager] = Managed(view.api_version, fields, by.now)
    return capped(result)


class Comparisons:
    """What differs between two objects, in the terms of each API version; compared when first asked for."""

    def __init__(self, view: View, old: Object, new: Object, found: Comparison) -> None:
        self._view = view
        self._objects = (old, new)
        self._found: dict[str, Comparison | None] = {view.api_version: found}

    def at(self, api_version: str) -> Comparison | None:
        """The comparison; None for a version that is served no more."""
        if api_version not in self._found:
            version = self._view.other(api_version)
            old, new = self._objects
            self._found[api_version] = (
                None
                if version is None
                else compare(version.type, version.there(old) if old else {}, version.there(new), self._view.skipped)
            )
        return self._found[api_version]


def _taken(managers: Managers, comparisons: Comparisons) -> dict[Manager, Managed]:
    """The managers without what has changed, and without those that have nothing left."""
    result: dict[Manager, Managed] = {}
    for manager, managed in managers.items():
        found = comparisons.at(managed.api_version)
        if found is None:
            continue
        fields = difference(difference(managed.fields, found.written), found.removed)
        if fields:
            result[manager] = managed if fields is managed.fields else managed._replace(fields=fields)
    return result


def applied(view: View, live: Object, config: Object, managers: Managers, by: By, *, force: bool) -> Applied:
    """The object and its managers after an apply.

    Args:
        view: how the request sees objects.
        live: the object as it stands, without managedFields; {} if there is none.
        config: what is applied; it fits its type.
        managers: the managers so far.
        by: who applies, and when.
        force: take what others own.

    Raises:
        Conflicts: others own fields that would change.
        ItemError: an item of a list cannot be told from others.
    """
    manager = by.manager
    if not managers and live:
        first = identity(BEFORE_FIRST_APPLY, UPDATE, view.api_version, manager.subresource)
        managers = updated(view, {}, live, {}, By(first, by.now))
    owned = recursive_difference(owned_fields(view.type, config), view.ignored)
    last = managers.get(manager)
    others = {each: managed for each, managed in managers.items() if each != manager}
    merged = merge(view.type, live, config)
    if last is not None and last.fields:
        present = {**others, manager: Managed(view.api_version, owned)}
        merged = _pruned(view, merged, present, last)
    found = compare(view.type, live, merged, view.skipped)
    comparisons = Comparisons(view, live, merged, found)
    if not force and (conflicts := _conflicts(others, comparisons)):
        raise Conflicts(conflicts)
    result = _taken(others, comparisons)
    same = merged == live
    if fields := difference(owned, NOBODYS):
        time = (last.time if last is not None else "") if same else by.now
        result[manager] = Managed(view.api_version, fields, time)
    return Applied(None if same else merged, result)


def _conflicts(others: Managers, comparisons: Comparisons) -> list[Conflict]:
    conflicts: list[Conflict] = []
    for manager, managed in others.items():
        at = comparisons.at(managed.api_version)
        if at is not None:
            contested = intersection(managed.fields, at.written)
            conflicts += [Conflict(manager, path) for path in paths(contested)]
    return conflicts


def _pruned(view: View, merged: Object, managers: Managers, last: Managed) -> Object:
    """The merged object without what its manager owned, says no more, and nobody else owns."""
    if last.api_version == view.api_version:
        return _pruned_at(view, Version(view.type, _itself, _itself), merged, managers, last)
    version = view.other(last.api_version)
    return merged if version is None else _pruned_at(view, version, merged, managers, last)


def _pruned_at(view: View, version: Version, merged: Object, managers: Managers, last: Managed) -> Object:
    whole = version.there(merged)
    named = with_named_fields(version.type, last.fields)
    left = version.back(without_fields(version.type, whole, named))
    versions = list(dict.fromkeys([last.api_version, *(each.api_version for each in managers.values())]))
    for each in versions:
        left = _with_owned(view, each, merged, left, managers)
    # What goes is only what the manager itself owned before.
    has = with_named_fields(version.type, owned_fields(version.type, whole))
    keeps = with_named_fields(version.type, owned_fields(version.type, version.there(left)))
    return version.back(without_fields(version.type, whole, intersection(difference(has, keeps), named)))


def _with_owned(view: View, api_version: str, merged: Object, left: Object, managers: Managers) -> Object:
    """What is left, and with it all that a manager of this API version owns."""
    version = Version(view.type, _itself, _itself) if api_version == view.api_version else view.other(api_version)
    if version is None:
        return left
    owned: Node = {}
    for managed in managers.values():
        if managed.api_version == api_version:
            owned = union(owned, managed.fields)
    type_, whole = version.type, version.there(merged)
    has = with_named_fields(type_, owned_fields(type_, whole))
    keeps = with_named_fields(type_, owned_fields(type_, version.there(left)))
    gone = difference(has, union(keeps, with_named_fields(type_, owned)))
    return version.back(without_fields(type_, whole, gone))


def _itself(obj: Any) -> Any:
    return obj
