"""A write as webhooks and expressions see it: the request of an AdmissionReview.

https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/
"""

from __future__ import annotations

from typing import Any

from kubus.model.cel.authorizer import authorizer, request_resource
from kubus.model.kinds import Kind
from kubus.model.objects import Object
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.matching import OPERATIONS, objects_of

_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "delete": "DeleteOptions"}


def review_request(proposal: Proposal, asked_as: Kind | None = None) -> Object:
    """What is asked, without uid and objects; of the same objects in the version `asked_as` where that is another."""
    own, shown = proposal.kind, asked_as or proposal.kind
    request: Object = {
        "kind": _kind_of(shown, proposal),
        "resource": {"group": shown.group, "version": shown.version, "resource": shown.plural},
        "requestKind": _kind_of(own, proposal),
        "requestResource": {"group": own.group, "version": own.version, "resource": own.plural},
        "name": proposal.name,
        "operation": OPERATIONS[proposal.verb],
        "userInfo": proposal.user.info,
        "dryRun": proposal.dry_run,
        "options": None,
    }
    if proposal.verb in _OPTIONS:
        named = {"kind": _OPTIONS[proposal.verb], "apiVersion": "meta.k8s.io/v1"}
        request["options"] = {**proposal.options, **named}
    if proposal.subresource:
        request["subResource"] = request["requestSubResource"] = proposal.subresource
    if proposal.kind.collection == "namespaces.core":
        request["namespace"] = proposal.name
    elif proposal.namespace:
        request["namespace"] = proposal.namespace
    return request


def _kind_of(kind: Kind, proposal: Proposal) -> Object:
    """The kind of the object in the request, which may be none of the resource's."""
    if not proposal.is_foreign:
        return {"group": kind.group, "version": kind.version, "kind": kind.name}
    group, _, version = str(proposal.object["apiVersion"]).rpartition("/")
    return {"group": group, "version": version, "kind": proposal.object["kind"]}


def variables_of(proposal: Proposal, asked_as: Kind | None = None) -> dict[str, Any]:
    """What expressions can name in every case."""
    obj, old = objects_of(proposal)
    request = review_request(proposal, asked_as)
    kind = proposal.kind
    resource = {"group": kind.group, "resource": kind.plural, "name": proposal.name}
    if proposal.subresource:
        resource["subresource"] = proposal.subresource
    if kind.namespaced:
        resource["namespace"] = proposal.namespace
    return {
        "object": obj,
        "oldObject": old,
        "request": request,
        "authorizer": authorizer(request["userInfo"]),
        "authorizer.requestResource": request_resource(request["userInfo"], **resource),
    }
