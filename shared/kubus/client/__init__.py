"""The Kubernetes API as services use it.

`Client` is implemented by `kubus.client.over_bus` (request/reply on `kubus.api.<identity>…`) and, for the
simulation, by `kubus.testing`. Objects that come back hold `metadata.resourceVersion`. Every error is a
`StatusError` with the apiserver's own Status; a bus that gives no answer is one of code 503 or 504, and then a
write may or may not have happened.

`cause` is the revision of the event that led to a write: who reconciles passes it on, so that from any event
one can walk back to a user's command.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from kubus.model.kinds import Kind
from kubus.model.objects import Key, Object

FenceToken = tuple[str, str, str, int]
"""(namespace, name, holder, transitions) of the Lease under which a leader writes."""


class Listing(NamedTuple):
    """Objects of a collection as they all stood at one revision."""

    items: list[Object]
    revision: int
    unreadable: tuple[Key, ...] = ()
    """What is there as well, but stands in the store in a form that cannot be read."""


class Why(NamedTuple):
    """What a write says of itself."""

    cause: int | None = None
    trace: str | None = None
    manager: str = ""
    """Field manager; "": the service's name."""
    fence: FenceToken | None = None


NO_REASON = Why()


class Client(Protocol):
    """The API. `namespace` is "" for cluster-scoped kinds."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """One object, consistent."""

    async def list(
        self, kind: Kind, namespace: str | None = None, *, label_selector: str = "", field_selector: str = ""
    ) -> Listing:
        """All objects of the cluster (None) or a namespace; fetched in pages of one revision."""

    async def create(
        self, kind: Kind, obj: Object, *, subresource: str = "", name: str = "", why: Why = NO_REASON
    ) -> Object:
        """Create; with subresource (`binding`, `eviction`) on the object called `name`."""

    async def update(self, kind: Kind, obj: Object, *, subresource: str = "", why: Why = NO_REASON) -> Object:
        """Replace; conditional on metadata.resourceVersion where the object has one."""

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        patch: Any,
        *,
        patch_type: str = "merge",
        subresource: str = "",
        why: Why = NO_REASON,
    ) -> Object:
        """Patch: json, merge, strategic or apply."""

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, options: Object | None = None, why: Why = NO_REASON
    ) -> Object:
        """Delete, with DeleteOptions (preconditions, gracePeriodSeconds, propagationPolicy)."""
