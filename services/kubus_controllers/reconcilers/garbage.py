"""Garbage collection: what belongs to something that is gone goes too.

Works on any kind through ownerReferences alone. An object all of whose owners are gone is collected, after a live
look at the owners. Foreground deletion (finalizer `foregroundDeletion`) keeps an owner until its dependents are
gone; orphaning (finalizer `orphan`) takes the reference out of them first.

Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple

from kubus.machinery.plans import Action, CollectGarbage, Controller, Delete, Patch, Plan, Record, View, Watch
from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object, is_deleting, metadata, name_of, namespace_of, uid_of
from kubus_controllers.reconcilers.pods_of import without_owner

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Kinds(NamedTuple):
    """All kinds, and by (group, kind) as references name them."""

    every: tuple[Kind, ...]
    named: MutableMapping[tuple[str, str], Kind]

    def seen(self, view: View) -> Kinds:
        """With the custom kinds that there are."""
        custom = view.custom_kinds()
        if not custom:
            return self
        return Kinds((*self.every, *custom), ChainMap({(kind.group, kind.name): kind for kind in custom}, self.named))

    def of(self, obj: Mapping[str, Any]) -> Kind | None:
        """The kind of an object or of a reference to one."""
        group, slash, _ = obj.get("apiVersion", "").rpartition("/")
        return self.named.get((group if slash else "", obj.get("kind", "")))


class Owner(NamedTuple):
    """An owner reference, and the owner if the cache has it."""

    kind: Kind
    namespace: str
    name: str
    uid: str
    found: Object | None


def reconcile(kinds: Kinds, obj: Object, view: View, now: datetime) -> Plan:
    """What the object's owners, or its own deletion, ask for."""
    kinds = kinds.seen(view)
    kind = kinds.of(obj)
    if kind is None:
        return Plan()
    if is_deleting(obj):
        return Plan(tuple(_deleting(kinds, kind, obj, view)))
    return Plan(tuple(_owned(kinds, kind, obj, view)))


def _deleting(kinds: Kinds, kind: Kind, obj: Object, view: View) -> list[Action]:
    finalizers = metadata(obj).get("finalizers") or []
    dependents = _dependents(kinds, obj, view)
    if ORPHAN in finalizers:
        freed: list[Action] = [
            _own(each_kind, each, without_owner(each, uid_of(obj))) for each_kind, each in dependents
        ]
        return [*freed, _drop_finalizer(kind, obj, ORPHAN)]
    if FOREGROUND in finalizers:
        blocking = [each for _, each in dependents if _blocks(each, uid_of(obj))]
        if all(_waits_in_turn(kinds, each, uid_of(obj), view) for each in blocking):
            return [_drop_finalizer(kind, obj, FOREGROUND)]
        # Each dependent is judged by all its owners: one that another owner needs only loses the reference.
        living = [(each_kind, each) for each_kind, each in dependents if not is_deleting(each)]
        return [action for each_kind, each in living for action in _owned(kinds, each_kind, each, view)]
    return []


def _waits_in_turn(kinds: Kinds, dependent: Object, owner_uid: str, view: View) -> bool:
    """Whether a dependent waits for the owner itself, by way of its own dependents: such a circle blocks nobody."""
    seen: set[str] = set()
    waiting = [dependent]
    while waiting:
        each = waiting.pop()
        if uid_of(each) == owner_uid:
            return True
        if uid_of(each) not in seen and _waits_for_dependents(each):
            seen.add(uid_of(each))
            waiting += [below for _, below in _dependents(kinds, each, view)]
    return False


def _owned(kinds: Kinds, kind: Kind, obj: Object, view: View) -> list[Action]:
    owners = _owners(kinds, kind, obj, view)
    told = _foreign_owners(kinds, kind, obj, view)
    if owners is None:
        return told
    there = [owner for owner in owners if owner.found is not None]
    leaving = [owner for owner in there if owner.found and _waits_for_dependents(owner.found)]
    if not there:
        gone = tuple((owner.kind, owner.namespace, owner.name, owner.uid) for owner in owners)
        if not gone:
            return []
        return [*told, CollectGarbage(kind, namespace_of(obj), name_of(obj), uid_of(obj), gone)]
    if leaving and len(leaving) == len(there):
        return [_delete(kinds, kind, obj, view)]
    if leaving:
        uids = {owner.uid for owner in leaving}
        kept = [each for each in metadata(obj)["ownerReferences"] if each.get("uid") not in uids]
        return [_own(kind, obj, kept)]
    return told


def _foreign_owners(kinds: Kinds, kind: Kind, obj: Object, view: View) -> list[Action]:
    """A warning for each owner that stands in another namespace, or in one while the object is in none.

    Such a reference names nobody: an owner is looked for in the object's own namespace.
    """
    told: list[Action] = []
    namespace = namespace_of(obj)
    for reference in metadata(obj).get("ownerReferences") or ():
        owner_kind = kinds.of(reference)
        if owner_kind is None or not owner_kind.namespaced:
            continue
        if kind.namespaced:
            if view.get(owner_kind, namespace, reference["name"]) is not None:
                continue
            if not any(uid_of(each) == reference["uid"] for each in view.list(owner_kind)):
                continue
        owner = f"{reference['apiVersion']}/{reference['kind']}"
        identity = f"[{owner}, namespace: {namespace}, name: {reference['name']}, uid: {reference['uid']}]"
        message = f'ownerRef {identity} does not exist in namespace "{namespace}"'
        about = {**obj, "apiVersion": kind.api_version, "kind": kind.name}
        told.append(Record(about, "OwnerRefInvalidNamespace", message, "Warning"))
    return told


def _owners(kinds: Kinds, kind: Kind, obj: Object, view: View) -> list[Owner] | None:
    """The object's owners; None if one is of a kind that is not known here: then nothing is collected."""
    owners = []
    for reference in metadata(obj).get("ownerReferences") or ():
        owner_kind = kinds.of(reference)
        if owner_kind is None or (owner_kind.namespaced and not kind.namespaced):
            return None
        namespace = namespace_of(obj) if owner_kind.namespaced else ""
        found = view.get(owner_kind, namespace, reference["name"])
        if found is not None and uid_of(found) != reference["uid"]:
            found = None
        owners.append(Owner(owner_kind, namespace, reference["name"], reference["uid"], found))
    return owners


def _waits_for_dependents(owner: Object) -> bool:
    return is_deleting(owner) and FOREGROUND in (metadata(owner).get("finalizers") or ())


def _dependents(kinds: Kinds, obj: Object, view: View) -> list[tuple[Kind, Object]]:
    return [(kind, each) for kind in kinds.every for each in view.owned(kind, uid_of(obj))]


def _blocks(dependent: Object, owner_uid: str) -> bool:
    references = metadata(dependent).get("ownerReferences") or ()
    return any(each.get("uid") == owner_uid and each.get("blockOwnerDeletion") for each in references)


def _delete(kinds: Kinds, kind: Kind, obj: Object, view: View) -> Delete:
    """In the foreground where the object has dependents itself: then the whole tree goes leaves first."""
    policy: Literal["Foreground", "Background"] = "Foreground" if _dependents(kinds, obj, view) else "Background"
    return Delete(kind, namespace_of(obj), name_of(obj), uid_of(obj), propagation=policy)


def _own(kind: Kind, obj: Object, references: list[dict[str, Any]]) -> Patch:
    meta = {
        "uid": uid_of(obj),
        "resourceVersion": metadata(obj).get("resourceVersion"),
        "ownerReferences": references or None,
    }
    return Patch(kind, namespace_of(obj), name_of(obj), {"metadata": meta})


def _drop_finalizer(kind: Kind, obj: Object, finalizer: str) -> Patch:
    rest = [each for each in metadata(obj)["finalizers"] if each != finalizer]
    meta = {"resourceVersion": metadata(obj).get("resourceVersion"), "finalizers": rest or None}
    return Patch(kind, namespace_of(obj), name_of(obj), {"metadata": meta})


def _wakes(kinds: Kinds, kind: Kind, obj: Object, view: View) -> list[Key]:
    """The object itself if it may have to go; its dependents once it is gone; its owners if they wait for it."""
    kinds = kinds.seen(view)
    here = view.get(kind, namespace_of(obj), name_of(obj))
    if here is None or uid_of(here) != uid_of(obj):
        waiting = _waiting_owners(kinds, kind, obj, view)
        return waiting + [_key(each_kind, each) for each_kind, each in _dependents(kinds, obj, view)]
    if is_deleting(here):
        dependents = _dependents(kinds, here, view) if _waits_for_dependents(here) else []
        return [_key(kind, here), *(_key(each_kind, each) for each_kind, each in dependents)]
    owners = _owners(kinds, kind, here, view)
    missing = owners and any(owner.found is None or _waits_for_dependents(owner.found) for owner in owners)
    left = metadata(obj).get("ownerReferences") != metadata(here).get("ownerReferences")  # obj is an earlier state
    freed = _waiting_owners(kinds, kind, obj, view) if left else []
    return [_key(kind, here), *freed] if missing else freed


def _waiting_owners(kinds: Kinds, kind: Kind, obj: Object, view: View) -> list[Key]:
    owners = _owners(kinds, kind, obj, view) or ()
    return [_key(owner.kind, owner.found) for owner in owners if owner.found and _waits_for_dependents(owner.found)]


def _key(kind: Kind, obj: Object) -> Key:
    return Key(kind.collection, namespace_of(obj), name_of(obj))


def controller(every: Sequence[Kind]) -> Controller:
    """The controller over all kinds; its keys are of any collection."""
    stored = tuple(kind for kind in every if not kind.stored_as and "list" in kind.verbs)
    kinds = Kinds(stored, {(kind.group, kind.name): kind for kind in stored})
    first, *_ = stored
    return Controller(
        name="garbage-collector",
        reconciles=first,
        reconcile=partial(reconcile, kinds),
        watches=tuple(Watch(kind, partial(_wakes, kinds, kind)) for kind in stored),
        watches_custom=lambda kind: (Watch(kind, partial(_wakes, kinds, kind)),),
    )
