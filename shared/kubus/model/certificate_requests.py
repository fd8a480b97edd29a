"""X.509 certificate requests: read, judged and signed; pure.

A signature is a function of what is signed: serial numbers come from the uid of the CertificateSigningRequest and ECDSA
runs without randomness (RFC 6979), so that a signer which is asked twice gives the same answer. Times are passed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_BACKDATED = timedelta(minutes=5)
_KEY_USAGES = {
    "digital signature": "digital_signature",
    "signing": "digital_signature",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "content commitment": "content_commitment",
    "data encipherment": "data_encipherment",
}
_EXTENDED_USAGES = {
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
}


class NoRequest(ValueError):
    """The bytes are no certificate request; the text says why."""


@dataclass(frozen=True, slots=True)
class Requested:
    """What a certificate request asks for."""

    common_name: str
    organizations: tuple[str, ...]
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    others: int = 0
    """E-mail addresses, URIs and the like."""


def read_request(pem: bytes) -> Requested:
    """The request in PEM text.

    Raises:
        NoRequest
    """
    request = _load(pem)
    names: list[x509.GeneralName] = []
    try:
        names = list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (x509.ExtensionNotFound, ValueError):
        names = []
    dns = tuple(each.value for each in names if isinstance(each, x509.DNSName))
    addresses = tuple(str(each.value) for each in names if isinstance(each, x509.IPAddress))
    return Requested(
        common_name=_last(_texts(request.subject, NameOID.COMMON_NAME)),
        organizations=tuple(_texts(request.subject, NameOID.ORGANIZATION_NAME)),
        dns_names=dns,
        ip_addresses=addresses,
        others=len(names) - len(dns) - len(addresses),
    )


def sign(
    pem: bytes,
    *,
    authority: tuple[bytes, bytes],
    usages: Iterable[str],
    now: datetime,
    lifetime: timedelta,
    seed: str,
) -> bytes:
    """The certificate for a request, as PEM; `authority` is (certificate, key) as PEM, `seed` what makes it unique.

    Raises:
        NoRequest: the request cannot be read or its own signature is wrong.
        ValueError: the authority cannot be used.
    """
    request = _load(pem)
    certificate = x509.load_pem_x509_certificate(authority[0])
    key = serialization.load_pem_private_key(authority[1], None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("the authority's key is neither EC nor RSA")
    wanted = frozenset(usages)
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(certificate.subject)
        .public_key(request.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:16], "big") | 1)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(min(now + lifetime, certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    plain = _key_usage(wanted)
    if plain is not None:  # one that allows nothing would forbid everything
        builder = builder.add_extension(plain, critical=True)
    extended = [oid for usage, oid in _EXTENDED_USAGES.items() if usage in wanted]
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = builder.add_extension(names, critical=False)
    except x509.ExtensionNotFound:
        pass  # a client's certificate needs no other names
    deterministic = True if isinstance(key, ec.EllipticCurvePrivateKey) else None
    signed = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=deterministic)
    return signed.public_bytes(serialization.Encoding.PEM)


def expires_at(pem: bytes) -> datetime | None:
    """When the first certificate of a PEM text ends; None if it holds none."""
    try:
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except (ValueError, UnsupportedAlgorithm):
        return None


def _load(pem: bytes) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(pem)
        good = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature, TypeError) as error:
        raise NoRequest(f"unable to parse csr: {error}") from None
    if not good:
        raise NoRequest("the request's signature is wrong")
    return request


def _texts(subject: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(each.value) for each in subject.get_attributes_for_oid(oid)]


def _last(texts: list[str]) -> str:
    return texts[-1] if texts else ""


def _key_usage(usages: frozenset[str]) -> x509.KeyUsage | None:
    wanted = {_KEY_USAGES[usage] for usage in usages if usage in _KEY_USAGES}
    if not wanted:
        return None
    fields = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return x509.KeyUsage(
        **{field: field in wanted for field in fields},
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
