"""Certificates: what they say, and that a restart changes nothing."""

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from kubus_cli import identities, pki

NOW = datetime(2026, 1, 31, tzinfo=UTC)
SERVER = pki.Wanted("etcd", "etcd", names=("localhost", "127.0.0.1"))
CLIENT = pki.client_of(identities.kubelet("n1"))


def certificate(directory, file):
    return x509.load_pem_x509_certificate((directory / f"{file}.crt").read_bytes())


def test_a_client_certificate_names_the_user_and_its_groups(tmp_path):
    pki.ensure(tmp_path, [CLIENT], NOW)
    subject = certificate(tmp_path, "kubelet-n1").subject
    assert [each.value for each in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["system:node:n1"]
    assert [each.value for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["system:nodes"]


def test_a_serving_certificate_names_hosts_and_addresses(tmp_path):
    pki.ensure(tmp_path, [SERVER], NOW)
    names = certificate(tmp_path, "etcd").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1")]


def test_everything_is_signed_by_the_authority(tmp_path):
    pki.ensure(tmp_path, [SERVER, CLIENT], NOW)
    authority = certificate(tmp_path, "ca")
    for file in ("etcd", "kubelet-n1"):
        certificate(tmp_path, file).verify_directly_issued_by(authority)


def test_etcd_and_its_clients_have_an_authority_of_their_own(tmp_path):
    pki.ensure(tmp_path, [SERVER, CLIENT], NOW)
    made = pki.ensure_etcd(tmp_path, ("localhost",), NOW)
    assert made == ["etcd-ca", "etcd", "etcd-root", "etcd-apiserver", "etcd-relay"], "etcd of the old authority too"
    for file in made[1:]:
        certificate(tmp_path, file).verify_directly_issued_by(certificate(tmp_path, "etcd-ca"))
        with pytest.raises((ValueError, InvalidSignature)):
            certificate(tmp_path, file).verify_directly_issued_by(certificate(tmp_path, "ca"))
    assert pki.ensure_etcd(tmp_path, ("localhost",), NOW) == []


def test_only_the_owner_may_read(tmp_path):
    pki.ensure(tmp_path, [SERVER], NOW)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("later", "wanted", "made"),
    [
        (timedelta(0), [SERVER, CLIENT], []),
        (timedelta(days=200), [SERVER, CLIENT], []),
        (timedelta(days=300), [SERVER, CLIENT], ["etcd", "kubelet-n1"]),
        (timedelta(days=3600), [SERVER, CLIENT], ["ca", "etcd", "kubelet-n1"]),
        (timedelta(0), [SERVER._replace(names=("localhost",)), CLIENT], []),
        (timedelta(0), [SERVER._replace(names=("localhost", "10.0.0.1")), CLIENT], ["etcd"]),
        (timedelta(0), [SERVER, CLIENT._replace(organizations=())], ["kubelet-n1"]),
        (timedelta(0), [pki.Wanted("new", "new")], ["new"]),
    ],
)
def test_only_what_is_missing_wrong_or_near_its_end_is_made_again(tmp_path, later, wanted, made):
    assert pki.ensure(tmp_path, [SERVER, CLIENT], NOW) == ["ca", "etcd", "kubelet-n1"]
    assert pki.ensure(tmp_path, wanted, NOW + later) == made


def test_a_damaged_certificate_is_made_again(tmp_path):
    pki.ensure(tmp_path, [SERVER], NOW)
    (tmp_path / "etcd.key").write_text("damaged")
    assert pki.ensure(tmp_path, [SERVER], NOW) == ["etcd"]


def test_the_front_proxy_has_an_authority_of_its_own(tmp_path):
    assert pki.ensure_front_proxy(tmp_path, NOW) == [pki.FRONT_PROXY_CA, pki.FRONT_PROXY]
    assert pki.ensure_front_proxy(tmp_path, NOW) == [], "a restart changes nothing"
    pki.ensure(tmp_path, [CLIENT], NOW)
    authority = x509.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes())
    client = x509.load_pem_x509_certificate((tmp_path / f"{pki.FRONT_PROXY}.crt").read_bytes())
    with pytest.raises((ValueError, InvalidSignature)):
        client.verify_directly_issued_by(authority)
