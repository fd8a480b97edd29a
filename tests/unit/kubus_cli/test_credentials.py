"""Credentials for users, signed by the cluster's authority."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from kubus.model.yaml_text import load_yaml
from kubus_cli import pki
from kubus_cli.clusters import Cluster, Ports
from kubus_cli.credentials import as_text, kubeconfig_of
from kubus_cli.failures import Failure, Misused

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    made = Cluster("c", tmp_path, 0, Ports(6443, 1, 2, 3), ())
    pki.ensure(made.pki_dir, [], NOW)
    return made


def test_a_kubeconfig_holds_a_certificate_of_user_and_groups(cluster: Cluster) -> None:
    found = load_yaml(as_text(kubeconfig_of(cluster, "alice", ["dev", "ops"], 7, NOW)).encode())
    (user,) = found["users"]
    assert (user["name"], found["contexts"][0]["context"]["user"]) == ("c-alice", "c-alice")
    made = x509.load_pem_x509_certificate(b64decode(user["user"]["client-certificate-data"]))
    assert [each.value for each in made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["alice"]
    assert [each.value for each in made.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["dev", "ops"]
    assert made.not_valid_after_utc == NOW + timedelta(days=7)
    authority = pki.authority_of(cluster.pki_dir)
    assert authority is not None
    made.verify_directly_issued_by(authority.certificate)
    assert found["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"


@pytest.mark.parametrize(
    ("user", "groups", "days"), [("", [], 1), ("a" * 65, [], 1), ("a", [""], 1), ("a", [], 0), ("a", [], 99999)]
)
def test_what_no_certificate_can_say_is_refused(cluster: Cluster, user: str, groups: list[str], days: int) -> None:
    with pytest.raises(Misused):
        kubeconfig_of(cluster, user, groups, days, NOW)


def test_without_an_authority_there_are_no_credentials(tmp_path: Path) -> None:
    with pytest.raises(Failure):
        kubeconfig_of(Cluster("c", tmp_path, 0, Ports(1, 2, 3, 4), ()), "a", [], 1, NOW)
