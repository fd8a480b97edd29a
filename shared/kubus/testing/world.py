"""A world of objects for testing reconcilers: what they see, and what becomes of their plans.

`World` holds objects as an apiserver would (revisions, uids, names that exist once), lets a controller's pure
function look at them, carries its plan out, and can be run until nothing changes. So a test asserts what the world
looks like in the end, not which calls were made; and a property test can start from any world it can draw.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from kubus.machinery.plans import (
    Action,
    Adopt,
    CollectGarbage,
    Controller,
    Create,
    Delete,
    Evict,
    IfAllowed,
    Patch,
    Plan,
    Record,
    SetStatus,
    Update,
)
from kubus.model.kinds import Kind
from kubus.model.kinds.pods import KIND as PODS
from kubus.model.objects import (
    Key,
    Object,
    is_deleting,
    metadata,
    name_of,
    namespace_of,
    revision_of,
    uid_of,
    with_revision,
)
from kubus.model.patches import merge_patch
from kubus.model.times import rfc3339

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Refused(Exception):
    """An action that an apiserver would have refused: a creation of what is there, an update of what has changed."""


class World:
    """Objects, as one controller sees and changes them."""

    def __init__(self, *objects: tuple[Kind, Object], now: datetime = START) -> None:
        self.now = now
        self.revision = 0
        self.records: list[Record] = []
        self.silence: dict[Key, timedelta] = {}
        self._objects: dict[Key, Object] = {}
        self._indexes: dict[tuple[str, str], Callable[[Object], list[str]]] = {}
        self.allows: Callable[[Object], bool] = lambda review: False
        """Whether a SubjectAccessReview says yes."""
        self.custom: tuple[Kind, ...] = ()
        """The custom kinds that there are."""
        for kind, obj in objects:
            self.put(kind, obj)

    def custom_kinds(self) -> tuple[Kind, ...]:
        """See `View.custom_kinds`."""
        return self.custom

    def put(self, kind: Kind, obj: Object) -> Object:
        """Write an object as it is, with a new revision and, where it has none, a uid and a creation time."""
        self.revision += 1
        meta = {"uid": f"uid-{self.revision}", "creationTimestamp": rfc3339(self.now), **metadata(obj)}
        stored = {"apiVersion": kind.api_version, "kind": kind.name, **obj, "metadata": meta}
        stored = with_revision(stored, self.revision)
        self._objects[self._key(kind, namespace_of(obj), name_of(obj))] = stored
        return stored

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        """Take an object out of the world."""
        self.revision += 1
        self._objects.pop(self._key(kind, namespace, name), None)

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._objects.get(self._key(kind, namespace, name))

    def owned(self, kind: Kind, owner_uid: str) -> list[Object]:
        """Objects of a kind with an owner reference to this uid."""
        return [
            obj
            for obj in self.list(kind)
            if any(each.get("uid") == owner_uid for each in metadata(obj).get("ownerReferences") or ())
        ]

    def indexed(self, kind: Kind, index: str, value: str) -> list[Object]:
        """Objects whose declared index function gave this value."""
        values = self._indexes[kind.collection, index]
        return [obj for obj in self.list(kind) if value in values(obj)]

    def quiet_for(self, kind: Kind, namespace: str, name: str) -> timedelta | None:
        """What the test says in `silence`; zero for any other object that is there."""
        key = self._key(kind, namespace, name)
        return self.silence.get(key, timedelta(0)) if key in self._objects else None

    def list(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """All of a collection or a namespace, by name."""
        return [
            obj
            for key, obj in sorted(self._objects.items())
            if key.collection == kind.collection and namespace in (None, key.namespace)
        ]

    def plan(self, controller: Controller, obj: Object) -> Plan:
        """What the controller would do about an object."""
        self._indexes.update({(each.kind.collection, each.name): each.values for each in controller.indexes})
        return controller.reconcile(obj, self, self.now)

    def reconcile(self, controller: Controller, kind: Kind | None = None) -> int:
        """One round: plan for every object of the controller's kind (or another), and carry it out; how many acted."""
        acted = 0
        for obj in self.list(kind or controller.reconciles):
            plan = self.plan(controller, obj)
            for action in plan.actions:
                self.carry_out(action)
            acted += any(not isinstance(action, Record) for action in plan.actions)
        return acted

    def settle(
        self, *controllers: Controller, between: Callable[[World], None] = lambda world: None, rounds: int = 100
    ) -> int:
        """Rounds until no controller acts; `between` plays the kubelets. How many rounds it took.

        Raises:
            AssertionError: the world is still moving after `rounds`.
        """
        for number in range(rounds):
            before = self.revision
            for controller in controllers:
                self.reconcile(controller)
            between(self)
            if self.revision == before:
                return number
        raise AssertionError(f"the world does not come to rest in {rounds} rounds")

    def carry_out(self, action: Action) -> None:
        """What an apiserver would make of an action.

        Raises:
            Refused: it would have refused it.
        """
        match action:
            case Create(kind, obj):
                self._create(kind, obj)
            case Update(kind, obj) | SetStatus(kind, obj):
                self._replace(kind, obj)
            case Patch(kind, namespace, name, patch):
                self._replace(kind, merge_patch(self._there(kind, namespace, name), patch))
            case Adopt(owner, patch):
                if self._is(*owner) and not is_deleting(self._there(*owner[:3])):
                    self.carry_out(patch)
            case Delete(kind, namespace, name, uid):
                self._delete(kind, namespace, name, uid)
            case Evict(namespace, name, uid):
                self._delete(PODS, namespace, name, uid)
            case CollectGarbage(kind, namespace, name, uid, owners):
                if not any(self._is(*owner) for owner in owners):
                    self._delete(kind, namespace, name, uid)
            case IfAllowed(review, guarded):
                if self.allows(review):
                    self.carry_out(guarded)
            case Record():
                self.records.append(action)

    def _is(self, kind: Kind, namespace: str, name: str, uid: str) -> bool:
        there = self.get(kind, namespace, name)
        return there is not None and uid in ("", uid_of(there))

    def _there(self, kind: Kind, namespace: str, name: str) -> Object:
        found = self.get(kind, namespace, name)
        if found is None:
            raise Refused(f"{kind.resource} {name} is not there")
        return found

    def _create(self, kind: Kind, obj: Object) -> None:
        if self.get(kind, namespace_of(obj), name_of(obj)) is not None:
            raise Refused(f"{kind.resource} {name_of(obj)} already exists")
        self.put(kind, obj)

    def _replace(self, kind: Kind, obj: Object) -> None:
        there = self._there(kind, namespace_of(obj), name_of(obj))
        if revision_of(obj) and revision_of(obj) != revision_of(there):
            raise Refused(f"{kind.resource} {name_of(obj)} has changed")
        if is_deleting(obj) and metadata(there).get("finalizers") and not metadata(obj).get("finalizers"):
            self.remove(kind, namespace_of(obj), name_of(obj))
        elif obj != there:
            self.put(kind, obj)

    def _delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        there = self.get(kind, namespace, name)
        if there is None or uid_of(there) != uid:
            return
        if metadata(there).get("finalizers"):
            if not is_deleting(there):
                self.put(kind, {**there, "metadata": {**metadata(there), "deletionTimestamp": rfc3339(self.now)}})
        else:
            self.remove(kind, namespace, name)

    @staticmethod
    def _key(kind: Kind, namespace: str, name: str) -> Key:
        return Key(kind.collection, namespace, name)
