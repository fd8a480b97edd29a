"""The gate: everything that admission asks about one write, in order, whoever has to be asked.

Plug-ins of the process first, then policies, then webhooks, then quotas; a write that none of them is about passes
without ever waiting. What a policy or a mutating webhook changed is completed again (`admission.versions`) and passes
the plug-ins once more; then those are asked again that want to see what came of it, as in Kubernetes.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from kubus.model.codec import pack
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus_apiserver.admission import Chain, Proposal
from kubus_apiserver.admission.mutations import Invocations, Mutations
from kubus_apiserver.admission.policies import Policies
from kubus_apiserver.admission.quotas import Quotas
from kubus_apiserver.admission.scaling import after_scaling, as_scale, is_scaling
from kubus_apiserver.admission.webhooks import Sightings, Webhooks
from kubus_apiserver.reading.watchcache import WatchCache


class Gate:
    """Admission, as writes know it."""

    def __init__(
        self,
        cache: WatchCache,
        chain: Chain,
        webhooks: Webhooks,
        quotas: Quotas,
        *,
        mutations: Mutations,
        policies: Policies,
    ) -> None:
        self._cache = cache
        self._chain = chain
        self._mutations = mutations
        self._policies = policies
        self.webhooks = webhooks
        self._quotas = quotas

    async def mutated(self, proposal: Proposal) -> Proposal:
        """The proposal as plug-ins and webhooks want it. Its object is changed.

        Raises:
            StatusError: one refuses.
        """
        if proposal.admitted:
            return proposal
        if is_scaling(proposal):
            return after_scaling(proposal, await self.mutated(as_scale(proposal)))
        if proposal.verb != "delete":
            self._chain.mutate(proposal, self._cache)
        concerned = self._mutations.concerned(proposal)
        asked = self.webhooks.mutating(proposal)
        if not asked and not concerned:
            return proposal
        sightings, invocations = Sightings(), Invocations()
        changed = await self._mutations.mutated(concerned, proposal, invocations)
        changed = await self.webhooks.mutated(asked, changed, sightings)
        if not sightings.state and not invocations.state:
            return changed
        before = pack(changed.object)
        self._chain.mutate(changed, self._cache)
        if sightings.state or pack(changed.object) != before:
            invocations.state += 1
        changed = await self._mutations.mutated(concerned, changed, invocations)
        if pack(changed.object) != before:
            sightings.state += 1
        if sightings.wanted_again(asked):
            changed = await self.webhooks.mutated(asked, changed, sightings)
        return changed

    async def validated(self, proposal: Proposal) -> None:
        """Let everybody refuse it; quotas only as far as nothing is charged for it.

        Raises:
            StatusError: one refuses.
        """
        if is_scaling(proposal):
            proposal = as_scale(proposal)
        if not proposal.admitted:
            await self._asked(proposal)
        if proposal.dry_run and not proposal.is_foreign:
            self._quotas.check(proposal)

    async def _asked(self, proposal: Proposal) -> None:
        self._chain.validate(proposal, self._cache)
        concerned = self._policies.concerned(proposal)
        if concerned:
            await self._policies.validate(concerned, proposal)
        asked = self.webhooks.validating(proposal)
        if asked:
            await self.webhooks.validate(asked, proposal)

    def charged(self, proposal: Proposal) -> AbstractAsyncContextManager[None]:
        """A context for the write itself: quotas are charged for it as far as it happens.

        Raises:
            StatusError: 403, a quota has no room; 5xx of the store.
        """
        return self._quotas.charged(proposal)

    async def released(self, kind: Kind, obj: Object) -> None:
        """Quotas get back what an object had that is deleted."""
        await self._quotas.release(kind, obj)
