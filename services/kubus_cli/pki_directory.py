"""`kubus pki`: a directory with all that a cluster of containers is told: certificates, NATS users, a kubeconfig.

It is the one-shot service of deploy/docker-compose.yml. Servers there are reached by the names of their containers,
so each serving certificate bears all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path

from kubus.service import SystemClock
from kubus_cli import certificates, identities, kubeconfigs, nats_config, pki
from kubus_cli.failures import Misused
from kubus_cli.private_files import write_private


def fill(directory: str, nodes: Sequence[str], hosts: Sequence[str], service_cidr: str, server: str) -> list[str]:
    """Make what is missing or ends soon; the certificates that were made.

    Raises:
        Misused: the range is none.
    """
    try:
        services = IPv4Network(service_cidr)
    except ValueError as error:
        raise Misused(f"--service-cidr: {error}") from None
    path = Path(directory)
    names = (*certificates.LOCAL, *hosts)
    users = (*identities.FIXED, *(identities.kubelet(node) for node in nodes))
    wanted = [
        pki.Wanted("nats", "nats", names=("nats", *names)),
        certificates.apiserver_certificate(("apiserver", *names), services),
        *(pki.client_of(user) for user in users),
    ]
    now = SystemClock().now()
    made = [
        *pki.ensure(path, wanted, now),
        *pki.ensure_etcd(path, ("etcd", *names), now),
        *pki.ensure_front_proxy(path, now),
    ]
    pki.ensure_token_keys(path)
    pki.ensure_encryption_keys(path)
    write_private(path / "nats.conf", _nats_configuration(path, nodes))
    kubeconfigs.write(path / "kubeconfig", kubeconfigs.of_directory("kubus", server, path, identities.ADMIN.file))
    return made


def _nats_configuration(path: Path, nodes: Sequence[str]) -> bytes:
    files = nats_config.ServerFiles(
        name="nats",
        host="0.0.0.0",  # in a container: who may connect is decided by certificates
        port=4222,
        store_dir=Path("/data"),
        ca_file=path / "ca.crt",
        cert_file=path / "nats.crt",
        key_file=path / "nats.key",
    )
    return nats_config.render(files, nats_config.all_rights(nodes))
