"""CertificateSigningRequests: who asked is written by the server, and who approves and signs must be allowed to.

A request keeps the name, uid, groups and extras of its maker. Its `approval` changes conditions and metadata, its
`status` everything but the conditions Approved and Denied; to approve needs the verb `approve` on the signer, to sign
the verb `sign`. Nobody gets a client certificate of `system:masters` this way.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from kubus.model.certificate_requests import NoRequest, Requested, read_request
from kubus.model.errors import FieldError, duplicate, forbidden, invalid, invalid_object, not_supported, required
from kubus.model.objects import Object, path_of
from kubus.model.times import rfc3339
from kubus_apiserver.access.authorization import Attributes, Authorizer
from kubus_apiserver.admission import Proposal
from kubus_apiserver.calls import MASTERS
from kubus_apiserver.reading.watchcache import WatchCache
from kubus_apiserver.writing.writes import Change

_BUNDLES = "clustertrustbundles.certificates.k8s.io"
REQUESTS = "certificatesigningrequests.certificates.k8s.io"
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
_GROUP = "certificates.k8s.io"
_VERDICTS = ("Approved", "Denied")
_LASTING = (*_VERDICTS, "Failed")
"""Conditions that nobody takes back."""
_SECONDS_MIN = 600
USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)
"""What a certificate may be asked to be good for."""


def stamp_requester(proposal: Proposal, _cache: WatchCache) -> None:
    """Write into a new request who makes it."""
    spec = proposal.object.get("spec")
    if proposal.kind.collection != REQUESTS or proposal.verb != "create" or not isinstance(spec, dict):
        return
    for field in ("username", "uid", "groups", "extra"):
        spec.pop(field, None)
    spec |= proposal.user.info


class Signing:
    """The validator of writes to requests."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def __call__(self, proposal: Proposal, _cache: WatchCache) -> None:
        """Refuse a request that makes no sense, and an approval or signature by somebody who may not.

        Raises:
            StatusError: 403, 422.
        """
        if proposal.kind.collection == _BUNDLES and proposal.verb != "delete":
            self._check_may_attest(proposal)
        if proposal.kind.collection != REQUESTS or proposal.verb == "delete":
            return
        if proposal.verb == "create":
            _check_new(proposal)
        elif proposal.subresource == "approval":
            self._check_may("approve", proposal)
            _check_verdicts(proposal)
        elif proposal.subresource == "status" and _signed(proposal.object) != _signed(proposal.old or {}):
            self._check_may("sign", proposal)

    def _check_may_attest(self, proposal: Proposal) -> None:
        """ClusterTrustBundleAttest: who says which certificates are a signer's must be allowed to."""
        signer = path_of(proposal.object, "spec", "signerName", default="")
        if signer and not self._may("attest", proposal):
            raise proposal.refused(f'user not permitted to attest for signerName "{signer}"')

    def _may(self, verb: str, proposal: Proposal) -> bool:
        signer = path_of(proposal.object, "spec", "signerName", default="")
        names = (signer, f"{signer.partition('/')[0]}/*")
        wanted = [Attributes(verb, _GROUP, "signers", "", name) for name in names]
        return any(self._authorizer.allows(proposal.user, each) for each in wanted)

    def _check_may(self, verb: str, proposal: Proposal) -> None:
        signer = path_of(proposal.object, "spec", "signerName", default="")
        if self._may(verb, proposal):
            return
        detail = f'user not permitted to {verb} requests with signerName "{signer}"'
        raise proposal.refused(detail)


def _signed(obj: Object) -> tuple[Any, bool]:
    conditions = path_of(obj, "status", "conditions", default=())
    return path_of(obj, "status", "certificate"), any(each.get("type") == "Failed" for each in conditions)


def request_of(obj: Object) -> Requested:
    """What the request in an object asks for.

    Raises:
        NoRequest
    """
    return read_request(request_pem(obj))


def request_pem(obj: Object) -> bytes:
    """The request's PEM text.

    Raises:
        NoRequest: it is not base64.
    """
    try:
        return b64decode(path_of(obj, "spec", "request", default=""), validate=True)
    except (binascii.Error, TypeError):
        raise NoRequest("the request is not base64") from None


def _check_new(proposal: Proposal) -> None:
    obj, errors = proposal.object, list[FieldError]()
    name, spec = obj["metadata"].get("name") or "", obj.get("spec") or {}
    signer = spec.get("signerName") or ""
    asked: Requested | None = None
    try:
        asked = request_of(obj)
    except NoRequest as error:
        errors.append(invalid("spec.request", spec.get("request"), str(error)))
    domain, slash, path = signer.partition("/")
    if not slash or "." not in domain or not path:
        detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        errors.append(invalid("spec.signerName", signer, detail))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SECONDS_MIN:
        errors.append(
            invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)")
        )
    errors += _usage_errors(spec.get("usages") or ())
    if errors:
        raise invalid_object(proposal.kind.name, _GROUP, name, errors)
    if asked is not None and signer == CLIENT_SIGNER and MASTERS in asked.organizations:
        detail = f"use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed"
        raise forbidden("certificatesigningrequests", _GROUP, name, detail)


def _usage_errors(usages: Sequence[str]) -> Iterator[FieldError]:
    if not usages:
        yield required("spec.usages", "usages is required")
    for number, usage in enumerate(usages):
        if usage not in USAGES:
            yield not_supported(f"spec.usages[{number}]", usage, USAGES)
        elif usage in usages[:number]:
            yield duplicate(f"spec.usages[{number}]", usage)


def _check_verdicts(proposal: Proposal) -> None:
    conditions = path_of(proposal.object, "status", "conditions", default=())
    verdicts = [each for each in conditions if each.get("type") in _VERDICTS]
    errors = [
        invalid("status.conditions", each.get("status"), "must be True")
        for each in verdicts
        if each.get("status") != "True"
    ]
    if {each["type"] for each in verdicts} == set(_VERDICTS):
        errors.append(invalid("status.conditions", "Denied", "Approved and Denied conditions are mutually exclusive"))
    lasting = Counter(
        each["type"]
        for each in path_of(proposal.old or {}, "status", "conditions", default=())
        if each.get("type") in _LASTING
    )
    for gone in sorted(lasting - Counter(each.get("type") for each in conditions)):
        errors.append(
            FieldError(
                "FieldValueForbidden",
                "status.conditions",
                f'Forbidden: updates may not remove a condition of type "{gone}"',
            )
        )
    if errors:
        raise invalid_object(proposal.kind.name, _GROUP, proposal.object["metadata"]["name"], errors)


def approved(change: Change, now: datetime) -> Change:
    """A change of a request that takes over its conditions and metadata, and keeps spec and certificate."""

    def conditions_and_metadata(old: Object) -> Object:
        wanted, before = change(old), old.get("status") or {}
        conditions = path_of(wanted, "status", "conditions", default=()) or ()
        new = [_stamped(each, before.get("conditions") or (), now) for each in conditions]
        status = {key: value for key, value in before.items() if key != "conditions"}
        metadata = wanted.get("metadata") or {}
        return {**old, "metadata": metadata, "status": {**status, **({"conditions": new} if new else {})}}

    return conditions_and_metadata


def judged(change: Change, now: datetime) -> Change:
    """A change of a request's status that keeps the verdicts."""

    def all_but_verdicts(old: Object) -> Object:
        wanted, kept = change(old), _conditions(old, verdicts=True)
        status = wanted.get("status") or {}
        before = path_of(old, "status", "conditions", default=()) or ()
        new = [_stamped(each, before, now) for each in _conditions(wanted, verdicts=False)]
        return {**wanted, "status": {**status, "conditions": [*kept, *new]}}

    return all_but_verdicts


def _conditions(obj: Object, *, verdicts: bool) -> list[Object]:
    found = path_of(obj, "status", "conditions", default=()) or ()
    return [each for each in found if (each.get("type") in _VERDICTS) == verdicts]


def _stamped(condition: Object, before: Sequence[Object], now: datetime) -> Object:
    """A condition with the times that it does not bring; the last transition of an equal one before it stays."""
    at, said = rfc3339(now), (condition.get("type"), condition.get("status") or "True")
    equal = (each for each in before if (each.get("type"), each.get("status")) == said)
    since = next((each["lastTransitionTime"] for each in equal if each.get("lastTransitionTime")), at)
    return {
        "status": "True",
        "lastUpdateTime": at,
        "lastTransitionTime": since,
        **{k: v for k, v in condition.items() if v},
    }
