"""What a cluster's certificates open, and what they do not."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubus.model.yaml_text import load_yaml
from kubus.store import StoreError, Unavailable
from kubus.store.etcd import Tls, connect

from .conftest import Cluster

pytestmark = pytest.mark.e2e
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
KUBELET_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"


def ports(cluster: Cluster) -> dict[str, int]:
    return json.loads((cluster.home / "cluster.json").read_text())["ports"]  # type: ignore[no-any-return]


def approved(cluster: Cluster, directory: Path, common_name: str, groups: tuple[str, ...], signer: str) -> Path:
    """The stem of the files of a certificate that an administrator approved."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in groups]
    subject.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject)).sign(key, hashes.SHA256())
    name = f"attack-{directory.name}".replace("_", "-").lower()[:60].rstrip("-")
    pem = b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()
    body = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {"request": pem, "signerName": signer, "usages": ["client auth"]},
    }
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(body))
    cluster.kubectl("certificate", "approve", name)
    cluster.kubectl("wait", "csr", name, "--for=jsonpath={.status.certificate}", "--timeout=120s")
    stem = directory / "approved"
    stem.with_suffix(".crt").write_bytes(b64decode(cluster.get("csr", name)["status"]["certificate"]))
    plain = serialization.NoEncryption()
    stem.with_suffix(".key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return stem


def of_a_user(cluster: Cluster, directory: Path) -> Path:
    """The stem of the files of a user whom `kubus kubeconfig` made, in the apiserver's name."""
    found = load_yaml(cluster.kubus("kubeconfig", "--user", "system:apiserver").stdout.encode())
    user = found["users"][0]["user"]
    stem = directory / "user"
    stem.with_suffix(".crt").write_bytes(b64decode(user["client-certificate-data"]))
    stem.with_suffix(".key").write_bytes(b64decode(user["client-key-data"]))
    return stem


ATTACKERS = ["a user", "a kubelet", "an approved request", "the administrator", "the apiserver on the bus"]


def attacker(cluster: Cluster, directory: Path, who: str) -> Path:
    pki = cluster.home / "pki"
    match who:
        case "a user":
            return of_a_user(cluster, directory)
        case "a kubelet":
            return pki / "kubelet-node-1"
        case "an approved request":
            return approved(cluster, directory, "system:apiserver", (), CLIENT_SIGNER)
        case "the administrator":
            return pki / "admin"
        case _:
            return pki / "apiserver"


@pytest.mark.parametrize(
    ("user", "groups", "signer"),
    [
        ("system:apiserver", (), CLIENT_SIGNER),
        ("kubernetes-admin", ("system:nodes",), CLIENT_SIGNER),
        ("system:node:node-1", ("system:nodes",), KUBELET_SIGNER),
    ],
)
def test_an_approved_request_is_nobody_on_the_bus(
    one_node: Cluster, tmp_path: Path, user: str, groups: tuple[str, ...], signer: str
) -> None:
    stem = approved(one_node, tmp_path, user, groups, signer)
    context = ssl.create_default_context(cafile=str(one_node.home / "pki" / "bus-ca.crt"))
    context.load_cert_chain(stem.with_suffix(".crt"), stem.with_suffix(".key"))
    assert not greeted(one_node, context)


def test_a_user_of_the_bus_is_greeted(one_node: Cluster) -> None:
    pki = one_node.home / "pki"
    context = ssl.create_default_context(cafile=str(pki / "bus-ca.crt"))
    context.load_cert_chain(pki / "relay.crt", pki / "relay.key")
    assert greeted(one_node, context)


def greeted(cluster: Cluster, context: ssl.SSLContext) -> bool:
    """Whether nats-server answers a PING under a certificate."""
    with socket.create_connection(("127.0.0.1", ports(cluster)["nats"])) as plain:
        plain.recv(4096)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
            try:
                stream.sendall(b'CONNECT {"verbose": false, "protocol": 1}\r\nPING\r\n')
                answer = b""
                while b"PONG" not in answer and (more := stream.recv(4096)):
                    answer += more
            except OSError:
                return False
            return b"PONG" in answer


@pytest.mark.parametrize("who", ATTACKERS)
def test_etcd_lets_nobody_in_but_its_own_clients(one_node: Cluster, tmp_path: Path, who: str) -> None:
    stem = attacker(one_node, tmp_path, who)
    tls = Tls(f"{one_node.home}/pki/etcd-ca.crt", str(stem.with_suffix(".crt")), str(stem.with_suffix(".key")))

    async def attack() -> None:
        store = connect((f"127.0.0.1:{ports(one_node)['etcd']}",), tls=tls)
        try:
            with pytest.raises(Unavailable, match="alert"):
                await store.get("/kubus/x")
            with pytest.raises(Unavailable, match="alert"):
                await store.create("/kubus/clusterrolebindings/pwned", b"{}")
        finally:
            await store.aclose()

    asyncio.run(attack())


def test_the_relay_reads_etcd_and_writes_nothing(one_node: Cluster) -> None:
    pki = one_node.home / "pki"
    tls = Tls(*(f"{pki}/{file}" for file in ("etcd-ca.crt", "etcd-relay.crt", "etcd-relay.key")))

    async def attack() -> None:
        store = connect((f"127.0.0.1:{ports(one_node)['etcd']}",), tls=tls)
        try:
            stored = (await store.page("/kubus/", limit=1)).items[0]
            for write in (
                store.create("/kubus/x", b"{}"),
                store.replace(stored.key, b"{}", expected=stored.revision),
                store.delete(stored.key, expected=stored.revision),
            ):
                with pytest.raises(StoreError, match="permission denied"):
                    await write
        finally:
            await store.aclose()

    asyncio.run(attack())


@pytest.mark.parametrize(("file", "is_let_in"), [("etcd", True), ("etcd-relay", False), ("etcd-root", False)])
def test_only_a_member_of_etcd_speaks_raft(one_node: Cluster, file: str, is_let_in: bool) -> None:
    pki = one_node.home / "pki"
    context = ssl.create_default_context(cafile=str(pki / "etcd-ca.crt"))
    context.load_cert_chain(pki / f"{file}.crt", pki / f"{file}.key")
    with (
        socket.create_connection(("127.0.0.1", ports(one_node)["etcd_peer"])) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as stream,
    ):
        try:
            stream.sendall(b"GET /members HTTP/1.0\r\n\r\n")
            answer = stream.recv(4096)
        except OSError:
            answer = b""
    assert answer.startswith(b"HTTP/1.0 200") is is_let_in, answer
