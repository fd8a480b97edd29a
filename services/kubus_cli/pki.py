"""The cluster's certificates and their authorities: EC P-256 keys, files of mode 0600.

`ensure` is idempotent: a certificate that is there, signed by its authority, names what it has to name and lives
for a while yet is left alone, so that a restart changes nothing; anything else is made anew. Only the public part
of the authority is needed by services; its key stays in the directory for later nodes.
"""

from __future__ import annotations

import ipaddress
import os
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubus_cli import identities
from kubus_cli.identities import Identity
from kubus_cli.private_files import write_private

CA_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(days=365)
RENEW_BEFORE_END = timedelta(days=90)
CLOCK_SKEW = timedelta(minutes=5)
CA = "ca"
ETCD_CA = "etcd-ca"
"""Signs for etcd and its clients only: a certificate of another authority never reaches etcd."""
ETCD = "etcd"
BUS_CA = "bus-ca"
"""Signs for NATS and the identities of the bus only: whoever approves a certificate request makes none of them."""
NATS = "nats"
FRONT_PROXY_CA = "front-proxy-ca"
"""Signs for nobody but the apiserver as a front proxy: whoever has a certificate of it may say who asks."""
FRONT_PROXY = "front-proxy-client"
ENCRYPTION_KEY_BYTES = 32
TOKEN_KEY = "service-accounts"
"""Stem of the key that signs ServiceAccount tokens, and of those that signed before it."""


class Wanted(NamedTuple):
    """A certificate to have."""

    file: str
    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """DNS names and IP addresses it serves; none: a client's."""

    @property
    def serves(self) -> bool:
        """Whether this is a server's certificate (which may also be used as a client's)."""
        return bool(self.names)


class Pair(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def client_of(identity: Identity) -> Wanted:
    """The client certificate of an identity."""
    return Wanted(identity.file, identity.user, identity.groups)


def ensure(directory: Path, wanted: Iterable[Wanted], now: datetime, ca: str = CA) -> list[str]:
    """Have an authority and these certificates in a directory; the stems of the files that were (re)made."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    made: list[str] = []
    authority = _load(directory, ca)
    if authority is None or not _lasts(authority.certificate, now):
        authority = _authority(f"kubus-{ca}", now)
        _save(directory, ca, authority)
        made.append(ca)
    for each in wanted:
        if not _good(_load(directory, each.file), each, authority, now):
            _save(directory, each.file, issue(each, authority, now))
            made.append(each.file)
    return made


def ensure_front_proxy(directory: Path, now: datetime) -> list[str]:
    """Have the authority of the front proxy and the certificate by which extension apiservers know it."""
    return ensure(directory, [Wanted(FRONT_PROXY, FRONT_PROXY)], now, FRONT_PROXY_CA)


def ensure_etcd(directory: Path, names: Iterable[str], now: datetime) -> list[str]:
    """Have etcd's authority, its server's certificate (of these DNS names and addresses), and those of its clients."""
    clients = (identities.ETCD_ROOT, *map(identities.etcd_client, (identities.APISERVER, identities.RELAY)))
    wanted = [Wanted(ETCD, ETCD, names=tuple(names)), *map(client_of, clients)]
    return ensure(directory, wanted, now, ETCD_CA)


def ensure_bus(directory: Path, names: Iterable[str], nodes: Iterable[str], now: datetime) -> list[str]:
    """Have the bus's authority, its server's certificate (of these names and addresses), and those of its users."""
    users = (*identities.ON_BUS, identities.TAP, *map(identities.kubelet, nodes))
    wanted = [Wanted(NATS, NATS, names=tuple(names)), *map(client_of, users)]
    return ensure(directory, wanted, now, BUS_CA)


def ensure_token_keys(directory: Path, *, renew: bool = False) -> None:
    """Have the keys of ServiceAccount tokens: one that signs, and the one before it, at first the same.

    With `renew` a new one signs from now on. The one before it stays to verify what it signed; an older one goes.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    key, before = token_key_files(directory)
    if renew and key.exists():
        write_private(before, key.read_bytes())
    if renew or not key.exists():
        write_private(key, _pem(ec.generate_private_key(ec.SECP256R1())))
    if not before.exists():
        write_private(before, key.read_bytes())


def ensure_encryption_keys(directory: Path, *, renew: bool = False) -> None:
    """Have a key that seals Secrets; with `renew` a new one before all others, which still open what they sealed."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = encryption_keys_file(directory)
    keys = file.read_bytes().split() if file.exists() else []
    if renew or not keys:
        keys.insert(0, b64encode(os.urandom(ENCRYPTION_KEY_BYTES)))
        write_private(file, b"\n".join(keys) + b"\n")


def encryption_keys_file(directory: Path) -> Path:
    """Where the keys are that seal Secrets, one a line, the newest first."""
    return directory / "secrets.keys"


def token_key_files(directory: Path) -> tuple[Path, Path]:
    """Where the keys of ServiceAccount tokens are: the one that signs, the one before it."""
    return directory / f"{TOKEN_KEY}.key", directory / f"{TOKEN_KEY}-previous.key"


def authority_of(directory: Path) -> Pair | None:
    """The authority in a directory, with its key; None where there is none."""
    return _load(directory, CA)


def certificate_pem(pair: Pair) -> bytes:
    """A certificate as PEM."""
    return pair.certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(pair: Pair) -> bytes:
    """A key as PEM."""
    return _pem(pair.key)


def issue(wanted: Wanted, authority: Pair, now: datetime, lifetime: timedelta = LIFETIME) -> Pair:
    """A new certificate signed by the authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if wanted.serves:
        usages.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
    builder = (
        _builder(_subject(wanted), authority.certificate.subject, key, now, lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if wanted.serves:
        builder = builder.add_extension(_alternative_names(wanted.names), critical=False)
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def _authority(common_name: str, now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        _builder(name, name, key, now, CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _subject(wanted: Wanted) -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in wanted.organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, wanted.common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(names: Iterable[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(each) for each in names])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _lasts(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_after_utc - now > RENEW_BEFORE_END


def _good(found: Pair | None, wanted: Wanted, authority: Pair, now: datetime) -> bool:
    if found is None or not _lasts(found.certificate, now) or found.certificate.subject != _subject(wanted):
        return False
    try:
        found.certificate.verify_directly_issued_by(authority.certificate)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return not wanted.serves or _names(found.certificate) >= set(_alternative_names(wanted.names))


def _names(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _load(directory: Path, file: str) -> Pair | None:
    try:
        certificate = x509.load_pem_x509_certificate((directory / f"{file}.crt").read_bytes())
        key = serialization.load_pem_private_key((directory / f"{file}.key").read_bytes(), None)
    except (OSError, ValueError):
        return None
    return Pair(certificate, key) if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _save(directory: Path, file: str, pair: Pair) -> None:
    write_private(directory / f"{file}.key", key_pem(pair))
    write_private(directory / f"{file}.crt", certificate_pem(pair))
