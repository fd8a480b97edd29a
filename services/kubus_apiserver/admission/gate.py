"""The gate: everything that admission asks about one write, in order, whoever has to be asked.

Plug-ins of the process first, then webhooks, then quotas; a write that none of them is about passes without ever
waiting. What a mutating webhook changed is completed again: defaults, and the plug-ins once more, as in Kubernetes.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus_apiserver.admission import Chain, Proposal
from kubus_apiserver.admission.quotas import Quotas
from kubus_apiserver.admission.webhooks import Webhooks
from kubus_apiserver.reading.watchcache import WatchCache

_STAYS = ("name", "namespace", "uid", "creationTimestamp", "generation", "managedFields", "resourceVersion")
"""Metadata that no webhook changes."""


class Gate:
    """Admission, as writes know it."""

    def __init__(self, cache: WatchCache, chain: Chain, webhooks: Webhooks, quotas: Quotas) -> None:
        self._cache = cache
        self._chain = chain
        self._webhooks = webhooks
        self._quotas = quotas

    async def mutated(self, proposal: Proposal) -> Proposal:
        """The proposal as plug-ins and webhooks want it. Its object is changed.

        Raises:
            StatusError: one refuses.
        """
        if proposal.verb != "delete":
            self._chain.mutate(proposal, self._cache)
        webhooks = self._webhooks.mutating(proposal)
        if not webhooks:
            return proposal
        obj = await self._webhooks.mutated(webhooks, proposal)
        if obj is proposal.object:
            return proposal
        changed = proposal._replace(object=_same_identity(proposal, obj))
        if not changed.subresource and changed.kind.defaults is not None:
            changed.kind.defaults(changed.object)
        self._chain.mutate(changed, self._cache)
        return changed

    async def validated(self, proposal: Proposal) -> None:
        """Let everybody refuse it; quotas only as far as nothing is charged for it.

        Raises:
            StatusError: one refuses.
        """
        self._chain.validate(proposal, self._cache)
        webhooks = self._webhooks.validating(proposal)
        if webhooks:
            await self._webhooks.validate(webhooks, proposal)
        if proposal.dry_run:
            self._quotas.check(proposal)

    def charged(self, proposal: Proposal) -> AbstractAsyncContextManager[None]:
        """A context for the write itself: quotas are charged for it as far as it happens.

        Raises:
            StatusError: 403, a quota has no room; 5xx of the store.
        """
        return self._quotas.charged(proposal)

    async def released(self, kind: Kind, obj: Object) -> None:
        """Quotas get back what an object had that is deleted."""
        await self._quotas.release(kind, obj)


def _same_identity(proposal: Proposal, obj: Object) -> Object:
    """What a webhook made of an object, without changes that are not for this write to make."""
    before = proposal.object
    metadata = dict(obj.get("metadata") or {})
    for field in _STAYS:
        metadata.pop(field, None)
        if field in before["metadata"]:
            metadata[field] = before["metadata"][field]
    if proposal.subresource == "status":
        return {**before, "metadata": metadata, "status": obj.get("status") or {}}
    same: Object = {field: before[field] for field in ("apiVersion", "kind", "status") if field in before}
    changed = {**obj, **same, "metadata": metadata}
    if proposal.kind.status and "status" not in before:
        changed.pop("status", None)
    return changed
