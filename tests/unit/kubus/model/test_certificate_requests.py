"""Certificate requests: read and signed, always the same way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubus.model.certificate_requests import NoRequest, expires_at, read_request, sign
from kubus_cli import pki

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def pem(*names: x509.GeneralName) -> bytes:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
            x509.NameAttribute(NameOID.COMMON_NAME, "system:node:n1"),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    request = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    directory: Path = tmp_path_factory.mktemp("pki")
    pki.ensure(directory, [], NOW)
    return (directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes()


def test_a_request_says_who_and_under_which_names() -> None:
    asked = read_request(pem(x509.DNSName("n1"), x509.IPAddress(ip_address("10.0.0.1")), x509.RFC822Name("a@b.c")))
    assert (asked.common_name, asked.organizations) == ("system:node:n1", ("system:nodes",))
    assert (asked.dns_names, asked.ip_addresses, asked.others) == (("n1",), ("10.0.0.1",), 1)


@pytest.mark.parametrize(
    "text", [b"", b"no", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"]
)
def test_what_is_no_request_is_refused(text: bytes) -> None:
    with pytest.raises(NoRequest):
        read_request(text)


def test_the_same_request_gets_the_same_certificate(authority: tuple[bytes, bytes]) -> None:
    text = pem(x509.DNSName("n1"))

    def signed(seed: str) -> bytes:
        usages = ["digital signature", "server auth"]
        return sign(text, authority=authority, usages=usages, now=NOW, lifetime=timedelta(days=1), seed=seed)

    assert signed("a") == signed("a") != signed("b")
    made = x509.load_pem_x509_certificate(signed("a"))
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(authority[0]))
    assert made.not_valid_after_utc == NOW + timedelta(days=1)
    usages = list(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert usages == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName("n1")]


@pytest.mark.parametrize(
    ("usages", "restricted"), [(["client auth"], False), (["client auth", "digital signature"], True)]
)
def test_a_key_is_restricted_only_where_uses_are_named(
    authority: tuple[bytes, bytes], usages: list[str], restricted: bool
) -> None:
    text = sign(pem(), authority=authority, usages=usages, now=NOW, lifetime=timedelta(days=1), seed="x")
    found = [each.oid for each in x509.load_pem_x509_certificate(text).extensions]
    assert (x509.KeyUsage.oid in found) is restricted


def test_no_certificate_outlives_its_authority(authority: tuple[bytes, bytes]) -> None:
    text = sign(pem(), authority=authority, usages=[], now=NOW, lifetime=timedelta(days=99999), seed="x")
    assert (
        x509.load_pem_x509_certificate(text).not_valid_after_utc
        == x509.load_pem_x509_certificate(authority[0]).not_valid_after_utc
    )


def test_a_certificate_says_when_it_ends(authority: tuple[bytes, bytes]) -> None:
    lifetime = timedelta(hours=1)
    made = sign(pem(), authority=authority, usages=["client auth"], now=NOW, lifetime=lifetime, seed="u")
    assert expires_at(made) == NOW + lifetime
    assert expires_at(b"no certificate") is None
