"""Making a cluster: numbers and ports that are free, certificates, configuration files, the network.

Everything here is idempotent; `prepare` runs before each start and whenever nodes are added.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

from kubus.service import SystemClock
from kubus_cli import audit_policy, certificates, clusters, identities, kubeconfigs, nats_config, network, pki
from kubus_cli.advice import Named, command_for
from kubus_cli.clusters import Cluster, Ports
from kubus_cli.failures import Failure, MachineLacks
from kubus_cli.ownership import Claim, claim, other_claims, owner_of, remembered_numbers
from kubus_cli.places import Place
from kubus_cli.private_files import write_private

DEFAULT_API_PORT = 6443
PRIVATE_PORTS = range(20_000, 32_000)
"""Where ports are given out: below those that the kernel takes for outgoing connections (32768 and more)."""
PORTS_A_CLUSTER = 100
"""So many of them are a cluster's own to begin with."""


def new_cluster(where: Place, port: int) -> Cluster:
    """A cluster that collides with nothing on this machine, with this API port (0: any). Under the machine's lock.

    Raises:
        MachineLacks: the port that was asked for is busy.
    """
    others = other_claims(where.home)
    if port:
        require_port(port, where, others)
    number = free_number(where.home, others, network.taken_networks())
    return Cluster(where.name, where.home, number, choose_ports(where.name, number, port, others), ())


def free_number(home: Path, others: list[Claim], networks: list[IPv4Network]) -> int:
    """The lowest number that nobody has; one of a stopped cluster only where there is no other."""
    used = {each.number for each in others}
    try:
        return clusters.free_number(used | remembered_numbers(home), networks)
    except Failure:
        return clusters.free_number(used, networks)


def choose_ports(name: str, number: int, api: int, others: list[Claim]) -> Ports:
    """The well-known ports where they are free (those of etcd and NATS for the default cluster); else any others."""
    taken = {port for each in others for port in each.ports} | {api}
    default = name == clusters.DEFAULT_NAME
    first = PRIVATE_PORTS.start + number * PORTS_A_CLUSTER

    def choose(well_known: int) -> int:
        candidates = (well_known, *range(first, PRIVATE_PORTS.stop), *range(PRIVATE_PORTS.start, first))
        port = next((each for each in candidates if each and each not in taken and port_is_free(each)), 0)
        if not port:
            raise MachineLacks("no port is free", "see who listens: ss -ltnp")
        taken.add(port)
        return port

    return Ports(
        api or choose(DEFAULT_API_PORT),
        etcd=choose(2379 if default else 0),
        etcd_peer=choose(2380 if default else 0),
        nats=choose(4222 if default else 0),
    )


def stopped_cluster(cluster: Cluster, port: int) -> Cluster:
    """A cluster that has run before, ready to be started. Under the machine's lock.

    Its API port is replaced if another one is asked for (not 0), its private ports where they are taken.

    Raises:
        Failure: another cluster has its number, or its API port is busy.
    """
    owner = owner_of(cluster)
    if owner is not None and owner.home != cluster.home:
        raise Failure(
            f"the networks of cluster {cluster.name!r} are in use by cluster {owner.name!r}",
            f"stop that one first: {command_for(owner, 'down')}",
        )
    others = other_claims(cluster.home)
    ports = replace(cluster.ports, api=port or cluster.ports.api)
    require_port(ports.api, cluster, others)
    private = (ports.etcd, ports.etcd_peer, ports.nats)
    taken = {each for other in others for each in other.ports} | {ports.api}
    if any(each in taken or not port_is_free(each) for each in private):
        ports = choose_ports(cluster.name, cluster.number, ports.api, others)
    return replace(cluster, ports=ports)


def require_port(port: int, where: Named, others: list[Claim]) -> None:
    """Check that a port can be a cluster's. Several apiservers may share one port, so a bind alone is no proof.

    Raises:
        MachineLacks: another cluster or another program has it.
    """
    advice = f"take another one: {command_for(where, 'up', '--port', 'PORT')}"
    for other in others:
        if port in other.ports:
            raise MachineLacks(f"port {port} belongs to cluster {other.name!r} in {other.home}", advice)
    if not port_is_free(port):
        raise MachineLacks(f"port {port} is busy: see ss -ltnp sport = :{port}", advice)


def prepare(cluster: Cluster) -> None:
    """Everything on disk and in the kernel that has to be there before processes start. Under the machine's lock.

    Raises:
        Failure: another cluster has the number.
    """
    owner = claim(cluster)
    if owner is not None:
        raise Failure(f"cluster {owner.name!r} has the networks", f"stop it first: {command_for(owner, 'down')}")
    for directory in (cluster.home, cluster.log_dir, cluster.run_dir, cluster.home / "etcd", cluster.home / "nats"):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    clusters.save(cluster)
    now = SystemClock().now()
    names = (*certificates.LOCAL, cluster.host_address)
    pki.ensure(cluster.pki_dir, certificates.wanted_certificates(names, cluster.service_cidr, cluster.domain), now)
    pki.ensure_etcd(cluster.pki_dir, certificates.LOCAL, now)
    pki.ensure_bus(cluster.pki_dir, certificates.LOCAL, cluster.nodes, now)
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
        ca_file=cluster.pki_dir / f"{pki.BUS_CA}.crt",
        cert_file=cluster.pki_dir / f"{pki.NATS}.crt",
        key_file=cluster.pki_dir / f"{pki.NATS}.key",
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
