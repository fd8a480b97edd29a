"""Objects in the versions in which webhooks want to see them, and completed when one has changed them.

A webhook with a rule for `apps/v2` is asked about what a client writes as `apps/v1`, if both are the same objects
(`matchPolicy: Equivalent`): it gets the object in its own version, and what it makes of it is turned back. What
it patches is an object like one that a client has sent, so it goes the same way: unknown fields are dropped (custom
objects are pruned), types are checked, defaults are set.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchpolicy
"""

from __future__ import annotations

from kubus.model.errors import StatusError, internal
from kubus.model.kinds import Kind, Registry
from kubus.model.objects import Object
from kubus.model.schema import Schemas
from kubus_apiserver.admission import Proposal
from kubus_apiserver.conversions import Conversions
from kubus_apiserver.writing.bodies import fitted

_FOREIGN = {
    ("autoscaling/v1", "Scale"): "io.k8s.api.autoscaling.v1.Scale",
    ("policy/v1", "Eviction"): "io.k8s.api.policy.v1.Eviction",
    ("v1", "Binding"): "io.k8s.api.core.v1.Binding",
    ("authentication.k8s.io/v1", "TokenRequest"): "io.k8s.api.authentication.v1.TokenRequest",
}
_STAYS = ("name", "namespace", "uid", "creationTimestamp", "generation", "managedFields", "resourceVersion")
"""Metadata that no webhook changes."""


class Versions:
    """Turns the objects of proposals from one version into another."""

    def __init__(self, registry: Registry, conversions: Conversions, schemas: Schemas) -> None:
        self._registry = registry
        self._conversions = conversions
        self._schemas = schemas

    def others(self, kind: Kind) -> list[Kind]:
        """The other versions and groups in which a kind's objects are served."""
        return [each for each in self._registry if each.collection == kind.collection and each is not kind]

    async def shown(self, proposal: Proposal, kind: Kind) -> Proposal:
        """The proposal with its objects in the version of `kind`; it still says in which one they came.

        Raises:
            StatusError: 500, the webhook of the definition did not convert them.
        """
        own = proposal.kind
        if kind is own or proposal.is_foreign:
            return proposal
        obj = await self._conversions.between(own, kind, proposal.object)
        old = proposal.old
        if old is proposal.object:
            old = obj
        elif old is not None:
            old = await self._conversions.between(own, kind, old)
        return proposal._replace(object=obj, old=old)

    async def taken_over(self, proposal: Proposal, kind: Kind, changed: Object) -> Proposal:
        """The proposal with what has been made of its object as `kind`.

        Raises:
            StatusError: 500, it is no such object any more.
        """
        if proposal.is_foreign:
            return proposal._replace(object=self._foreign(proposal, changed))
        own = proposal.kind
        try:
            obj, _ = fitted(kind, changed, self._schemas, "Ignore")
        except StatusError as error:
            raise internal(error.message) from None
        if kind.defaults is not None:
            kind.defaults(obj)
        if kind is not own:
            obj = await self._conversions.between(kind, own, obj)
        return proposal._replace(object=_same_identity(proposal, obj))

    def _foreign(self, proposal: Proposal, changed: Object) -> Object:
        before = proposal.object
        kept = {**changed, "apiVersion": before["apiVersion"], "kind": before["kind"]}
        definition = _FOREIGN.get((before["apiVersion"], before["kind"]))
        if definition is None or definition not in self._schemas:
            return kept
        findings = self._schemas.check(definition, kept)
        if findings.wrong_types:
            raise internal(findings.wrong_types[0])
        return self._schemas.normalized(definition, kept)


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
