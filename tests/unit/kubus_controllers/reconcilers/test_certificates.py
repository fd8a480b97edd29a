"""Which certificates are signed, which refused, and how long requests stay."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubus.machinery.plans import Plan, SetStatus
from kubus.testing.world import World
from kubus_cli import pki
from kubus_controllers.reconcilers.certificates import CLIENT, KUBELET_CLIENT, KUBELET_SERVING, reconcile

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NODE = "system:node:n1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    directory: Path = tmp_path_factory.mktemp("pki")
    pki.ensure(directory, [], NOW)
    return (directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes()


def pem(name: str, group: str, *names: str) -> str:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
        )
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def request(text: str, signer: str, *usages: str, verdict: str = "Approved", **fields: Any) -> dict[str, Any]:
    conditions = [{"type": verdict, "status": "True"}] if verdict else []
    return {
        "metadata": {"name": "r", "uid": "u", "creationTimestamp": "2026-11-22T12:00:00Z"},
        "spec": {"request": text, "signerName": signer, "usages": list(usages), "username": NODE, **fields},
        "status": {"conditions": conditions},
    }


def looked_at(obj: dict[str, Any], authority: Any, now: datetime = NOW) -> Plan:
    return reconcile(authority, obj, World(), now)


@pytest.mark.parametrize(
    ("signer", "text", "usages", "wrong"),
    [
        (CLIENT, pem("alice", "dev"), ("client auth", "digital signature"), ""),
        (CLIENT, pem("alice", "dev"), ("digital signature",), "usages must contain client auth"),
        (
            CLIENT,
            pem("alice", "dev"),
            ("client auth", "server auth"),
            "usages that this signer does not give: server auth",
        ),
        (KUBELET_CLIENT, pem(NODE, "system:nodes"), ("client auth",), ""),
        (KUBELET_CLIENT, pem(NODE, "dev"), ("client auth",), "subject organization is not system:nodes"),
        (KUBELET_CLIENT, pem("n1", "system:nodes"), ("client auth",), "subject common name does not begin with"),
        (KUBELET_CLIENT, pem(NODE, "system:nodes", "n1"), ("client auth",), "no subject alternative names"),
        (KUBELET_SERVING, pem(NODE, "system:nodes", "n1"), ("server auth", "key encipherment"), ""),
        (KUBELET_SERVING, pem(NODE, "system:nodes"), ("server auth",), "names DNS names or IP addresses"),
        (KUBELET_SERVING, pem("system:node:n2", "system:nodes", "n2"), ("server auth",), "only a kubelet itself"),
        (CLIENT, "bm8=", ("client auth",), "unable to parse csr"),
    ],
)
def test_each_signer_has_its_own_idea_of_a_good_request(
    authority: Any, signer: str, text: str, usages: tuple[str, ...], wrong: str
) -> None:
    (action,) = looked_at(request(text, signer, *usages), authority).actions
    assert isinstance(action, SetStatus)
    status = action.object["status"]
    if not wrong:
        made = x509.load_pem_x509_certificate(b64decode(status["certificate"]))
        made.verify_directly_issued_by(x509.load_pem_x509_certificate(authority[0]))
        return
    assert "certificate" not in status
    failed = status["conditions"][-1]
    assert (failed["type"], failed["reason"]) == ("Failed", "SignerValidationFailure")
    assert wrong in failed["message"]


def test_the_life_asked_for_is_given_within_bounds(authority: Any) -> None:
    for seconds, days in ((86400, 1), (10**9, 365)):
        obj = request(pem("alice", "dev"), CLIENT, "client auth", expirationSeconds=seconds)
        (action,) = looked_at(obj, authority).actions
        assert isinstance(action, SetStatus)
        made = x509.load_pem_x509_certificate(b64decode(action.object["status"]["certificate"]))
        assert made.not_valid_after_utc == NOW + timedelta(days=days)


@pytest.mark.parametrize(("verdict", "signer"), [("", CLIENT), ("Denied", CLIENT), ("Approved", "example.com/mine")])
def test_what_is_not_approved_or_not_ours_is_not_signed(authority: Any, verdict: str, signer: str) -> None:
    assert not looked_at(request(pem("a", "b"), signer, "client auth", verdict=verdict), authority).actions


def test_without_an_authority_nothing_is_signed() -> None:
    assert not looked_at(request(pem("a", "b"), CLIENT, "client auth"), None).actions
