"""Admission: what the cluster adds to an object, or refuses, beyond its own rules.

A plug-in is a function of a `Proposal` and of the cache as it stands. All mutators run before defaults are
final and rules are checked, all validators after, as in Kubernetes; which ones there are, and in which order, stands
in `kubus_apiserver.admission.plugins`. Three things have to ask somebody else and are apart: webhooks
(`webhooks`), quotas, which are charged when everybody has agreed (`quotas`), and the life cycle of the namespace
(`kubus_apiserver.writing.namespaces`).

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kubus.model.errors import StatusError, forbidden
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus_apiserver.calls import User
from kubus_apiserver.reading.watchcache import WatchCache


def _unheard(_warning: str) -> None:
    """Nobody listens."""


class Proposal(NamedTuple):
    """A write that is about to happen."""

    user: User
    verb: str
    """create, update or delete."""
    kind: Kind
    subresource: str
    object: Object
    """The new object (of a delete: the old one). Mutators change it in place."""
    old: Object | None
    dry_run: bool = False
    warn: Callable[[str], None] = _unheard
    """Takes a warning for the client."""

    @property
    def namespace(self) -> str:
        """The object's namespace, "" if none."""
        return self.object["metadata"].get("namespace") or ""

    @property
    def name(self) -> str:
        """The object's name, "" if it has none yet."""
        return self.object["metadata"].get("name") or ""

    def refused(self, detail: str) -> StatusError:
        """403 `pods "x" is forbidden: detail`."""
        return forbidden(self.kind.plural, self.kind.group, self.name, detail)

    def is_new(self, collection: str) -> bool:
        """Whether an object of a collection is being created."""
        return self.verb == "create" and not self.subresource and self.kind.collection == collection


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
