"""CertificateSigningRequests that have had their day are deleted.

An hour after it was signed, denied or found wanting; a day after it was made if nobody has said anything; and in any
case when the certificate it led to has expired. One that was approved and that its signer has not signed yet waits.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#request-signing-process
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime, timedelta

from kubus.machinery.plans import Controller, Delete, Plan, View
from kubus.model.certificate_requests import expires_at
from kubus.model.kinds.certificatesigningrequests import KIND as REQUESTS
from kubus.model.objects import Object, metadata, name_of, path_of, uid_of
from kubus.model.times import parse_time

KEPT_WHEN_DECIDED = timedelta(hours=1)
KEPT_UNDECIDED = timedelta(hours=24)


def reconcile(request: Object, view: View, now: datetime) -> Plan:
    """The end of a request, or when it is due."""
    left = min((end - now for end in _ends(request)), default=None)
    if left is None or left > timedelta(0):
        return Plan(again_after=left)
    return Plan((Delete(REQUESTS, "", name_of(request), uid_of(request)),))


def _ends(request: Object) -> Iterator[datetime]:
    """When each reason to keep the request no longer holds."""
    conditions = path_of(request, "status", "conditions", default=())
    certificate = path_of(request, "status", "certificate", default="")
    created = metadata(request).get("creationTimestamp")
    if not conditions and created:
        yield parse_time(created) + KEPT_UNDECIDED
    for condition in conditions:
        done = condition.get("type") in ("Denied", "Failed") or (condition.get("type") == "Approved" and certificate)
        since = condition.get("lastUpdateTime") or condition.get("lastTransitionTime") or created
        if done and since:
            yield parse_time(since) + KEPT_WHEN_DECIDED
    expired = _expiry(certificate) if certificate else None
    if expired is not None:
        yield expired


def _expiry(certificate: str) -> datetime | None:
    try:
        return expires_at(b64decode(certificate, validate=True))
    except binascii.Error:
        return None


CONTROLLER = Controller(
    name="certificatesigningrequest-cleaner-controller",
    reconciles=REQUESTS,
    reconcile=reconcile,
)
