"""Certificates name their user and groups, and chain to the authority."""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from kubus.testing.certificates import Authority


def test_a_certificate_names_user_groups_and_hosts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("system:node:n1", ("system:nodes",), ("127.0.0.1", "localhost"))
    certificate = x509.load_pem_x509_certificate(Path(pair.cert_file).read_bytes())
    subject = {each.oid: each.value for each in certificate.subject}
    assert subject == {NameOID.COMMON_NAME: "system:node:n1", NameOID.ORGANIZATION_NAME: "system:nodes"}
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(Path(authority.ca_file).read_bytes()))
    ssl.create_default_context(cafile=authority.ca_file).load_cert_chain(pair.cert_file, pair.key_file)
