"""Who a certificate or an identity is."""

from __future__ import annotations

from hashlib import sha256

from kubus_apiserver.access.authentication import user_of_certificate, user_of_identity
from kubus_apiserver.calls import ANONYMOUS, User


def test_the_subject_of_a_certificate_names_user_and_groups() -> None:
    subject = ((("organizationName", "a"),), (("organizationName", "b"),), (("commonName", "u"),))
    assert user_of_certificate({"subject": subject}) == User("u", ("a", "b", "system:authenticated"))


def test_which_certificate_it_was_stays_with_the_user() -> None:
    user = user_of_certificate({"subject": ((("commonName", "u"),),)}, b"certificate")
    ((key, (value,)),) = user.extra
    assert key == "authentication.kubernetes.io/credential-id"
    assert value == f"X509SHA256={sha256(b'certificate').hexdigest()}"


def test_no_certificate_or_no_name_is_nobody() -> None:
    assert user_of_certificate(None) == ANONYMOUS
    assert user_of_certificate({"subject": ((("organizationName", "system:masters"),),)}) == ANONYMOUS


def test_identities_of_the_bus_have_their_groups() -> None:
    assert user_of_identity("system:node:n1").groups == ("system:nodes", "system:authenticated")
    assert user_of_identity("kubernetes-admin").groups == ("system:masters", "system:authenticated")
    assert user_of_identity("system:kube-proxy").groups == ("system:authenticated",)
