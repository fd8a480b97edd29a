"""Plans: what a reconciler decides, as values.

A reconciler looks at one object and the caches and returns a `Plan`; the executor carries it out, in order, by
API calls, each with the cause of the reconcile. An empty plan means that the world is as it should be. Plans are
compared in tests, so actions are frozen, and nothing in them is random: names are derived from the owner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object. That it exists already is success if it has the same controller, else it is recorded."""

    kind: Kind
    object: Object


@dataclass(frozen=True, slots=True)
class Update:
    """Replace an object (or what a subresource is); the object's resourceVersion makes it conditional."""

    kind: Kind
    object: Object
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """Merge-patch an object (or a subresource)."""

    kind: Kind
    namespace: str
    name: str
    patch: Any
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Make an owner the controller of an object that has none, unless the API says that the owner is being deleted.

    Caches of different kinds advance independently: dependents that an orphaning deletion has set free may be seen
    before the owner's deletion is. Adopted again, they would be deleted with their owner.
    """

    owner: tuple[Kind, str, str, str]
    """(kind, namespace, name, uid)"""
    patch: Patch
    """Adds the owner reference, on condition that the object is as it was seen."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an object, if it is still the one with this uid. That it is gone already is success."""

    kind: Kind
    namespace: str
    name: str
    uid: str
    grace_period_seconds: int | None = None
    propagation: Literal["", "Background", "Foreground", "Orphan"] = ""


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Replace an object's status by an update of the subresource; `object` is the seen one with its new status."""

    kind: Kind
    object: Object


@dataclass(frozen=True, slots=True)
class Evict:
    """Ask for a pod's eviction: a disruption budget may refuse (then the key is tried again later)."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Record:
    """An Event about an object, counted up where the same was said before."""

    about: Object
    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


@dataclass(frozen=True, slots=True)
class CollectGarbage:
    """Delete an object if none of its owners exists any more.

    Caches of different kinds advance independently: an owner that is not in its cache may only not be there *yet*.
    So the executor asks the API for each owner, and deletes only if all are gone (or have another uid).
    """

    kind: Kind
    namespace: str
    name: str
    uid: str
    owners: tuple[tuple[Kind, str, str, str], ...]
    """(kind, namespace, name, uid); with uid "" any object of that name keeps the dependent."""
    grace_period_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class IfAllowed:
    """Do something if a SubjectAccessReview of somebody else's rights says yes; tried again later if it says no."""

    review: Object
    """The review's spec: user, groups, extra, resourceAttributes."""
    action: Create | Update | Patch | Delete | SetStatus


Action = Create | Update | Patch | Adopt | Delete | SetStatus | Evict | CollectGarbage | IfAllowed | Record


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done now, and when to look again even if nothing changes."""

    actions: tuple[Action, ...] = ()
    again_after: timedelta | None = None
    refused: Callable[[str], SetStatus | None] | None = None
    """What to write if the API will not have something that was to be created, given its words."""


CONVERGED = Plan()


class View(Protocol):
    """What a reconciler sees: caches, read-only. Objects are shared: never edit them in place."""

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """One object, or None."""

    def owned(self, kind: Kind, owner_uid: str) -> list[Object]:
        """Objects of a kind with an owner reference (of any sort) to this uid. Indexed."""

    def indexed(self, kind: Kind, index: str, value: str) -> list[Object]:
        """Objects whose declared index function gave this value. Indexed."""

    def list(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """All of a collection or a namespace."""

    def custom_kinds(self) -> tuple[Kind, ...]:
        """The custom kinds that are cached; the same tuple for as long as they are the same."""

    def quiet_for(self, kind: Kind, namespace: str, name: str) -> timedelta | None:
        """How long ago the cache took in the object's last change, by a clock that never jumps; None if it has none.

        Starts anew when the cache is filled: silence from before is nobody's fault.
        """


Reconcile = Callable[[Object, View, datetime], Plan]
"""Pure: (the object as cached, the caches, now) → plan."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Another kind whose changes wake objects of the controller: `wakes` maps the changed object to their keys.

    It is called with the old and with the new state, whichever exist. The keys are the controller's own kind's, or of
    any collection it caches: reconcile is then called with that object.
    """

    kind: Kind
    wakes: Callable[[Object, View], list[Key]]


@dataclass(frozen=True, slots=True)
class Index:
    """A further index of a cache: the values under which an object is found."""

    kind: Kind
    name: str
    values: Callable[[Object], list[str]]


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller, declared: the machinery does the rest."""

    name: str
    """`deployment-controller`: also its field manager and the source of its Events."""
    reconciles: Kind
    reconcile: Reconcile
    owns: tuple[Kind, ...] = ()
    """Kinds whose objects wake their controller owner (by ownerReference)."""
    watches: tuple[Watch, ...] = ()
    watches_custom: Callable[[Kind], tuple[Watch, ...]] | None = None
    """Watches on every custom kind, for as long as it is there. Nothing is reconciled while one is not cached yet."""
    reads: tuple[Kind, ...] = ()
    """Further kinds that are cached but wake nothing."""
    indexes: tuple[Index, ...] = ()
    concurrency: int = 16
    """Keys at once."""
