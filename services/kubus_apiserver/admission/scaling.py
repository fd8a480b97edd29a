"""A change of an object's scale, as admission sees it: an update of its Scale.

The write itself changes the object. So the proposal is turned: what plug-ins and webhooks look at is the Scale before
and after, and the number of replicas that they leave in it goes back into the object.
"""

from __future__ import annotations

from kubus.model.objects import path_of
from kubus_apiserver.admission import Place, Proposal
from kubus_apiserver.writing.scales import scale_of, scaled


def is_scaling(proposal: Proposal) -> bool:
    """Whether a proposal is a write of the subresource, made to the object itself."""
    return proposal.subresource == "scale" and not proposal.is_foreign


def as_scale(proposal: Proposal) -> Proposal:
    """The same with Scales for objects."""
    kind, old = proposal.kind, proposal.old
    return proposal._replace(
        object=scale_of(kind, proposal.object),
        old=None if old is None else scale_of(kind, old),
        place=Place(proposal.namespace, proposal.name),
    )


def after_scaling(proposal: Proposal, agreed: Proposal) -> Proposal:
    """The proposal about the object, with as many replicas as the Scale has that was agreed upon."""
    kind, scale = proposal.kind, agreed.object
    before = path_of(scale_of(kind, proposal.object), "spec", "replicas", default=0)
    if path_of(scale, "spec", "replicas", default=0) == before:
        return proposal
    return proposal._replace(object=scaled(kind, scale)(proposal.object))
