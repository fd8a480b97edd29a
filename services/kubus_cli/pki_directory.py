"""`kubus pki`: a directory with all that a cluster of containers is told: certificates, NATS users, a kubeconfig.

It is the one-shot service of deploy/docker-compose.yml. Servers there are reached by the names of their containers,
so each serving certificate bears all of them.

The directory itself is the operator's: the authorities' keys are in it. What a service needs stands once more in
`services/<service>/`, a volume of that service alone: a node that is taken over gives away its own certificates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path

from kubus.service import SystemClock
from kubus_cli import certificates, identities, kubeconfigs, nats_config, pki
from kubus_cli.failures import Misused
from kubus_cli.private_files import write_private

NATS_CONFIGURATION = "nats.conf"


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
    now = SystemClock().now()
    made = [
        *pki.ensure(path, certificates.wanted_certificates(("apiserver", *names), services), now),
        *pki.ensure_etcd(path, ("etcd", *names), now),
        *pki.ensure_bus(path, ("nats", *names), nodes, now),
        *pki.ensure_front_proxy(path, now),
    ]
    pki.ensure_token_keys(path)
    pki.ensure_encryption_keys(path)
    write_private(path / NATS_CONFIGURATION, _nats_configuration(path, nodes))
    kubeconfigs.write(path / "kubeconfig", kubeconfigs.of_directory("kubus", server, path, identities.ADMIN.file))
    _hand_out(path, service_files(nodes))
    return made


def service_files(nodes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Service → the files of the directory that it needs. A node's are its kubelet's and its proxy's."""
    bus, etcd = f"{pki.BUS_CA}.crt", f"{pki.ETCD_CA}.crt"
    apiserver, relay = (identities.etcd_client(each).file for each in (identities.APISERVER, identities.RELAY))
    token_keys = (each.name for each in pki.token_key_files(Path()))
    return {
        "etcd": (etcd, *_pair(pki.ETCD)),
        "etcd-access": (etcd, *_pair(identities.ETCD_ROOT.file)),
        "nats": (NATS_CONFIGURATION, bus, *_pair(pki.NATS)),
        "apiserver": (
            *(etcd, *_pair(apiserver), bus, *_pair(identities.APISERVER.file)),
            *(f"{pki.CA}.crt", *_pair("apiserver-serving")),
            *(f"{pki.FRONT_PROXY_CA}.crt", *_pair(pki.FRONT_PROXY)),
            *(*token_keys, pki.encryption_keys_file(Path()).name),
        ),
        "relay": (etcd, *_pair(relay), bus, *_pair(identities.RELAY.file)),
        "scheduler": (bus, *_pair(identities.SCHEDULER.file)),
        "controllers": (bus, *_pair(identities.CONTROLLERS.file), *_pair(pki.CA)),  # they sign requests
        "tap": (bus, *_pair(identities.ADMIN_ON_BUS.file)),
        **{each: (bus, *_pair(identities.kubelet(each).file), *_pair(identities.PROXY.file)) for each in nodes},
    }


def _pair(stem: str) -> tuple[str, str]:
    return f"{stem}.crt", f"{stem}.key"


def _hand_out(path: Path, files: Mapping[str, Iterable[str]]) -> None:
    """Have each service's files in its own directory, and no others."""
    for service, names in files.items():
        own = path / "services" / service
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in names:
            write_private(own / name, (path / name).read_bytes())
        for stray in {each.name for each in own.iterdir()} - set(names):
            (own / stray).unlink()


def _nats_configuration(path: Path, nodes: Sequence[str]) -> bytes:
    """The configuration for a container that has nats' own files where the operator's are."""
    files = nats_config.ServerFiles(
        name="nats",
        host="0.0.0.0",  # in a container: who may connect is decided by certificates
        port=4222,
        store_dir=Path("/data"),
        ca_file=path / f"{pki.BUS_CA}.crt",
        cert_file=path / f"{pki.NATS}.crt",
        key_file=path / f"{pki.NATS}.key",
    )
    return nats_config.render(files, nats_config.all_rights(nodes))
