"""CertificateSigningRequests: what is approved gets signed.

Three signers, each with its own idea of a good request: clients of the API, kubelets as clients, and kubelets as
servers. An approved request that its signer will not have gets the condition Failed.

Signing is as pure as everything else here: the certificate follows from the request, its uid and the time.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from kubus.machinery.plans import CONVERGED, Controller, Plan, SetStatus, View
from kubus.model.certificate_requests import NoRequest, Requested, read_request, sign
from kubus.model.kinds.certificatesigningrequests import KIND as REQUESTS
from kubus.model.objects import Object, path_of, uid_of
from kubus.model.times import rfc3339

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LIFETIME = timedelta(days=365)
LIFETIME_MIN = timedelta(minutes=10)
NODES = "system:nodes"
_NODE = "system:node:"
_PLAIN_USAGES = frozenset({"digital signature", "key encipherment", "signing"})


def _client(asked: Requested, usages: frozenset[str], request: Object) -> str:
    if "client auth" not in usages:
        return "usages must contain client auth"
    return _only(usages, {"client auth"})


def kubelet_client_faults(asked: Requested, usages: frozenset[str], request: Object) -> str:
    """What is wrong with a kubelet's request for its client certificate, or ""."""
    if asked.dns_names or asked.ip_addresses or asked.others:
        return "a kubelet's client certificate has no subject alternative names"
    return (
        _of_node(asked)
        or ("" if "client auth" in usages else "usages must contain client auth")
        or _only(usages, {"client auth"})
    )


def _kubelet_serving(asked: Requested, usages: frozenset[str], request: Object) -> str:
    if not (asked.dns_names or asked.ip_addresses) or asked.others:
        return "a kubelet's serving certificate names DNS names or IP addresses, and nothing else"
    if path_of(request, "spec", "username") != asked.common_name:
        return "only a kubelet itself may ask for its serving certificate"
    return (
        _of_node(asked)
        or ("" if "server auth" in usages else "usages must contain server auth")
        or _only(usages, {"server auth"})
    )


def _of_node(asked: Requested) -> str:
    if asked.organizations != (NODES,):
        return f"subject organization is not {NODES}"
    return "" if asked.common_name.startswith(_NODE) else f"subject common name does not begin with {_NODE}"


def _only(usages: frozenset[str], purposes: set[str]) -> str:
    foreign = sorted(usages - _PLAIN_USAGES - purposes)
    return f"usages that this signer does not give: {', '.join(foreign)}" if foreign else ""


SIGNERS: dict[str, Callable[[Requested, frozenset[str], Object], str]] = {
    CLIENT: _client,
    KUBELET_CLIENT: kubelet_client_faults,
    KUBELET_SERVING: _kubelet_serving,
}
"""What is wrong with a request, or ""."""


def reconcile(authority: tuple[bytes, bytes] | None, request: Object, view: View, now: datetime) -> Plan:
    """A signature or a refusal."""
    conditions = {each.get("type") for each in path_of(request, "status", "conditions", default=())}
    done = bool(path_of(request, "status", "certificate")) or bool(conditions & {"Denied", "Failed"})
    if not done and "Approved" in conditions and authority is not None:
        signer = path_of(request, "spec", "signerName", default="")
        if signer in SIGNERS:
            return Plan((SetStatus(REQUESTS, _answered(authority, request, signer, now)),))
    return CONVERGED


def _answered(authority: tuple[bytes, bytes], request: Object, signer: str, now: datetime) -> Object:
    status = request.get("status") or {}
    usages = frozenset(path_of(request, "spec", "usages", default=()))
    try:
        pem = b64decode(path_of(request, "spec", "request", default=""), validate=True)
        wrong = SIGNERS[signer](read_request(pem), usages, request)
        if not wrong:
            lifetime = _lifetime(request)
            signed = sign(pem, authority=authority, usages=usages, now=now, lifetime=lifetime, seed=uid_of(request))
            return {**request, "status": {**status, "certificate": b64encode(signed).decode()}}
    except (NoRequest, binascii.Error) as error:
        wrong = str(error)
    failed = {
        "type": "Failed",
        "status": "True",
        "reason": "SignerValidationFailure",
        "message": wrong,
        "lastUpdateTime": rfc3339(now),
        "lastTransitionTime": rfc3339(now),
    }
    return {**request, "status": {**status, "conditions": [*(status.get("conditions") or ()), failed]}}


def _lifetime(request: Object) -> timedelta:
    seconds = path_of(request, "spec", "expirationSeconds")
    return LIFETIME if seconds is None else min(LIFETIME, max(LIFETIME_MIN, timedelta(seconds=seconds)))


def controller(authority: tuple[bytes, bytes] | None) -> Controller:
    """The controller; `authority` is certificate and key of who signs, as PEM."""
    return Controller(
        name="certificate-controller",
        reconciles=REQUESTS,
        reconcile=partial(reconcile, authority),
    )
