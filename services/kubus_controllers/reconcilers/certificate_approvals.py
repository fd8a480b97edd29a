"""CertificateSigningRequests of kubelets: approved without a human, if the one who asks may ask for that.

A request for a kubelet's client certificate is approved if its maker may `create` the resource
`certificatesigningrequests/nodeclient`, or, asking for itself (a rotation), `…/selfnodeclient`. Whether they may is
asked of the API by a SubjectAccessReview; as long as it says no the request waits, for a right or for a human.

https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#approval
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import datetime

from kubus.machinery.plans import CONVERGED, Controller, IfAllowed, Plan, Update, View
from kubus.model.certificate_requests import NoRequest, Requested, read_request
from kubus.model.kinds.certificatesigningrequests import KIND as REQUESTS
from kubus.model.objects import Object, path_of
from kubus_controllers.reconcilers.certificates import KUBELET_CLIENT, kubelet_client_faults

_SELF = ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.")
_ANY = ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")


def reconcile(request: Object, view: View, now: datetime) -> Plan:
    """The approval, if it is granted."""
    decided = {each.get("type") for each in path_of(request, "status", "conditions", default=())}
    if path_of(request, "status", "certificate") or decided & {"Approved", "Denied", "Failed"}:
        return CONVERGED
    if path_of(request, "spec", "signerName") != KUBELET_CLIENT:
        return CONVERGED
    asked = _asked(request)
    usages = frozenset(path_of(request, "spec", "usages", default=()))
    if asked is None or kubelet_client_faults(asked, usages, request):
        return CONVERGED
    subresource, message = _SELF if path_of(request, "spec", "username") == asked.common_name else _ANY
    return Plan((IfAllowed(_review(request, subresource), Update(REQUESTS, _approved(request, message), "approval")),))


def _asked(request: Object) -> Requested | None:
    try:
        return read_request(b64decode(path_of(request, "spec", "request", default=""), validate=True))
    except (NoRequest, binascii.Error):
        return None


def _review(request: Object, subresource: str) -> Object:
    spec = request["spec"]
    attributes = {
        "group": REQUESTS.group,
        "resource": REQUESTS.plural,
        "subresource": subresource,
        "verb": "create",
        "version": "*",
    }
    review: Object = {"user": spec.get("username", ""), "resourceAttributes": attributes}
    for field in ("groups", "uid", "extra"):
        if spec.get(field):
            review[field] = spec[field]
    return review


def _approved(request: Object, message: str) -> Object:
    status = request.get("status") or {}
    condition = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}
    return {**request, "status": {**status, "conditions": [*(status.get("conditions") or ()), condition]}}


CONTROLLER = Controller(
    name="certificatesigningrequest-approving-controller",
    reconciles=REQUESTS,
    reconcile=reconcile,
)
