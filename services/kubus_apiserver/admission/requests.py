"""A write as webhooks and expressions see it: the request of an AdmissionReview.

https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/
"""

from __future__ import annotations

from typing import Any

from kubus.model.objects import Object
from kubus_apiserver.admission import Proposal
from kubus_apiserver.admission.matching import OPERATIONS

_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "delete": "DeleteOptions", "connect": ""}


def review_request(proposal: Proposal) -> Object:
    """What is asked, without uid and objects."""
    kind = proposal.kind
    version = {"group": kind.group, "version": kind.version}
    kind_of, resource = {**version, "kind": kind.name}, {**version, "resource": kind.plural}
    request: Object = {
        "kind": kind_of,
        "resource": resource,
        "requestKind": kind_of,
        "requestResource": resource,
        "name": proposal.name,
        "operation": OPERATIONS[proposal.verb],
        "userInfo": _user(proposal),
        "dryRun": proposal.dry_run,
        "options": {"kind": _OPTIONS[proposal.verb], "apiVersion": "meta.k8s.io/v1"},
    }
    if proposal.subresource:
        request["subResource"] = request["requestSubResource"] = proposal.subresource
    if proposal.kind.collection == "namespaces.core":
        request["namespace"] = proposal.name
    elif proposal.namespace:
        request["namespace"] = proposal.namespace
    return request


def objects_of(proposal: Proposal) -> tuple[Object | None, Object | None]:
    """(object, oldObject) as a review has them: null is what is not there."""
    if proposal.verb == "delete":
        return None, proposal.old
    return proposal.object, proposal.old


def variables_of(proposal: Proposal) -> dict[str, Any]:
    """What expressions can name in every case."""
    obj, old = objects_of(proposal)
    return {"object": obj, "oldObject": old, "request": review_request(proposal)}


def _user(proposal: Proposal) -> Object:
    user = proposal.user
    info: Object = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra}
    return info
