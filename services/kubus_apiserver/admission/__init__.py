"""Admission: what the cluster adds to an object, or refuses, beyond its own rules.

A plug-in is a function of a `Proposal` and of the cache as it stands. All mutators run before defaults are
final and rules are checked, all validators after, as in Kubernetes; which ones there are, and in which order, stands
in `kubus_apiserver.admission.plugins`. Three things have to ask somebody else and are apart: webhooks
(`webhooks`), quotas, which are charged when everybody has agreed (`quotas`), and the life cycle of the namespace
(`kubus_apiserver.writing.namespaces`).

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from kubus.model.errors import StatusError, forbidden
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus_apiserver.calls import User, WriteOptions
from kubus_apiserver.reading.watchcache import WatchCache


def _unheard(*_said: str) -> None:
    """Nobody listens."""


class Place(NamedTuple):
    """Where something happens to an object: `x` in `default`."""

    namespace: str
    name: str


class Proposal(NamedTuple):
    """A write, or a connection, that is about to happen."""

    user: User
    verb: str
    """create, update, delete or connect."""
    kind: Kind
    subresource: str
    object: Object
    """The new object (of a delete: the old one). Mutators change it in place."""
    old: Object | None
    dry_run: bool = False
    warn: Callable[[str], None] = _unheard
    """Takes a warning for the client."""
    annotate: Callable[[str, str], None] = _unheard
    """Takes a key and a value for the audit log."""
    place: Place | None = None
    """Set where `object` is none of `kind`, but what a subresource takes, and perhaps without metadata: a Scale, a
    Binding, an Eviction, a TokenRequest, PodExecOptions. It names the object that the subresource belongs to."""
    options: Mapping[str, Any] = MappingProxyType({})
    """What the client wants of the write: CreateOptions, UpdateOptions or DeleteOptions."""
    uid: str = ""
    """Which a new object will have; it stands in the object, like the creation's time and a generated name, only after
    the mutators."""
    admitted: bool = False
    """Whether admission has agreed already to that of which this is a consequence: to a Binding, to an Eviction."""

    @property
    def namespace(self) -> str:
        """The object's namespace, "" if none."""
        return self.place.namespace if self.place is not None else self.object["metadata"].get("namespace") or ""

    @property
    def name(self) -> str:
        """The object's name, "" if it has none yet."""
        return self.place.name if self.place is not None else self.object["metadata"].get("name") or ""

    @property
    def is_foreign(self) -> bool:
        """Whether `object` is of another kind than what is written or connected to."""
        return self.place is not None

    def refused(self, detail: str) -> StatusError:
        """403 `pods "x" is forbidden: detail`."""
        name = self.name or (self.object.get("metadata") or {}).get("generateName") or "Unknown"
        return forbidden(self.kind.plural, self.kind.group, name, detail)

    def is_new(self, collection: str) -> bool:
        """Whether an object of a collection is being created."""
        return self.verb == "create" and not self.subresource and self.kind.collection == collection


def said(options: WriteOptions) -> dict[str, Any]:
    """What a proposal has of the options of its write."""
    asked: Object = {"fieldManager": options.manager, "fieldValidation": options.field_validation}
    if options.dry_run:
        asked["dryRun"] = ["All"]
    return {
        "dry_run": options.dry_run,
        "warn": options.warn,
        "annotate": options.annotate,
        "options": asked,
        "admitted": options.admitted,
    }


Mutator = Callable[[Proposal, WatchCache], None]
Validator = Callable[[Proposal, WatchCache], None]
"""Raises StatusError to refuse."""


class Chain(NamedTuple):
    """All mutators, then all validators."""

    mutators: tuple[Mutator, ...] = ()
    validators: tuple[Validator, ...] = ()

    def mutate(self, proposal: Proposal, cache: WatchCache) -> None:
        """Let every mutator change the object.

        Raises:
            StatusError
        """
        for mutator in self.mutators:
            mutator(proposal, cache)

    def validate(self, proposal: Proposal, cache: WatchCache) -> None:
        """Let every validator refuse the object.

        Raises:
            StatusError
        """
        for validator in self.validators:
            validator(proposal, cache)
