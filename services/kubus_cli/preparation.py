"""Making a cluster: numbers and ports that are free, certificates, configuration files, the network.

Everything here is idempotent; `prepare` runs before each start and whenever nodes are added.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import replace
from pathlib import Path

from kubus.service import SystemClock
from kubus_cli import audit_policy, certificates, clusters, identities, kubeconfigs, nats_config, network, pki
from kubus_cli.clusters import RUN_ROOT, Cluster, Ports
from kubus_cli.failures import Failure, MachineLacks
from kubus_cli.places import Place
from kubus_cli.private_files import write_private

HOME_FILE = "home"
"""In a run directory: whose it is."""
DEFAULT_API_PORT = 6443


def new_cluster(where: Place, port: int, *, port_given: bool) -> Cluster:
    """A cluster that collides with nothing on this machine.

    Raises:
        MachineLacks: the port is busy.
    """
    if not port_is_free(port):
        if port_given or where.name == clusters.DEFAULT_NAME:
            raise MachineLacks(f"port {port} is busy", "take another one: kubus up --port PORT")
        port = 0
    number = clusters.free_number(used_numbers(where.home), network.taken_networks())
    return Cluster(where.name, where.home, number, _ports(where, port), ())


def _ports(where: Place, api: int) -> Ports:
    """The well-known ports for the default cluster, where they are free; any others."""
    free = iter(free_ports(4))
    default = where.name == clusters.DEFAULT_NAME

    def choose(well_known: int) -> int:
        return well_known if default and port_is_free(well_known) else next(free)

    return Ports(api or next(free), etcd=choose(2379), etcd_peer=choose(2380), nats=choose(4222))


def checked(cluster: Cluster) -> Cluster:
    """A cluster that has run before, with its private ports replaced where somebody took them.

    Raises:
        Failure: another cluster has its number, or its API port is busy.
    """
    if cluster.number in used_numbers(cluster.home):
        other = (cluster.run_dir / HOME_FILE).read_text()
        raise Failure(f"the cluster in {other} uses the same networks", f"end it: kubus down --home {other}")
    ports = cluster.ports
    if not port_is_free(ports.api):
        raise MachineLacks(f"port {ports.api} is busy", "free it, or start over: kubus down --purge")
    if not all(port_is_free(each) for each in (ports.etcd, ports.etcd_peer, ports.nats)):
        etcd, peer, nats = free_ports(3)
        ports = Ports(ports.api, etcd, peer, nats)
    return replace(cluster, ports=ports)


def used_numbers(home: Path) -> set[int]:
    """Numbers of clusters of other homes that are up."""
    used: set[int] = set()
    for mark in RUN_ROOT.glob(f"kubus*/{HOME_FILE}"):
        with contextlib.suppress(ValueError, OSError):
            if mark.read_text() != str(home):
                used.add(int(mark.parent.name.removeprefix("kubus")))
    return used


def prepare(cluster: Cluster) -> None:
    """Everything on disk and in the kernel that has to be there before processes start."""
    for directory in (cluster.home, cluster.log_dir, cluster.run_dir, cluster.home / "etcd", cluster.home / "nats"):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(cluster.run_dir / HOME_FILE, str(cluster.home).encode())
    clusters.save(cluster)
    now = SystemClock().now()
    pki.ensure(cluster.pki_dir, certificates.wanted_certificates(cluster), now)
    pki.ensure_front_proxy(cluster.pki_dir, now)
    pki.ensure_token_keys(cluster.pki_dir)
    pki.ensure_encryption_keys(cluster.pki_dir)
    audit_policy.ensure_policy(cluster.home)
    write_private(cluster.home / "nats.conf", nats_configuration(cluster))
    kubeconfigs.write(cluster.kubeconfig, admin_kubeconfig(cluster))
    network.set_up(cluster)


def nats_configuration(cluster: Cluster) -> bytes:
    """nats-server's configuration file."""
    files = nats_config.ServerFiles(
        name=cluster.name,
        host="127.0.0.1",
        port=cluster.ports.nats,
        store_dir=cluster.home / "nats",
        ca_file=cluster.pki_dir / "ca.crt",
        cert_file=cluster.pki_dir / "nats.crt",
        key_file=cluster.pki_dir / "nats.key",
    )
    return nats_config.render(files, nats_config.all_rights(cluster.nodes))


def admin_kubeconfig(cluster: Cluster) -> kubeconfigs.Document:
    """The administrator's kubeconfig."""
    server = f"https://127.0.0.1:{cluster.ports.api}"
    return kubeconfigs.of_directory(cluster.name, server, cluster.pki_dir, identities.ADMIN.file)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Different ports that nobody has now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
