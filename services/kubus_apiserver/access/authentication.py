"""Who asks: the client certificate's subject, or nobody.

The common name is the user, the organizations are its groups, as Kubernetes reads X.509 client certificates. TLS has
verified the certificate by then; a connection without one is anonymous, until a token says more
(`kubus_apiserver.access.authenticator`). Which certificate it was stays with the user as `credential-id`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from kubus_apiserver.calls import ANONYMOUS, AUTHENTICATED, User

CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"


def user_of_certificate(certificate: Mapping[str, Any] | None, encoded: bytes | None = None) -> User:
    """The user of a verified certificate as `ssl` describes it (`getpeercert`); anonymous without one.

    `encoded` is the certificate itself (DER).
    """
    if not certificate:
        return ANONYMOUS
    user = user_of_subject(pair for part in certificate.get("subject", ()) for pair in part)
    if encoded is None or user is ANONYMOUS:
        return user
    fingerprint = hashlib.sha256(encoded).hexdigest()
    return user._replace(extra=((CREDENTIAL_ID, (f"X509SHA256={fingerprint}",)),))


def user_of_subject(pairs: Iterable[tuple[str, str]]) -> User:
    """The user of a certificate's subject."""
    name, groups = "", []
    for key, value in pairs:
        if key == "commonName":
            name = value
        elif key == "organizationName":
            groups.append(value)
    return User(name, (*groups, AUTHENTICATED)) if name else ANONYMOUS


def user_of_identity(identity: str) -> User:
    """The user of an identity on the bus: NATS lets each publish under its own name only."""
    groups = ("system:nodes",) if identity.startswith("system:node:") else ()
    if identity == "kubernetes-admin":
        groups = ("system:masters",)
    return User(identity, (*groups, AUTHENTICATED))
